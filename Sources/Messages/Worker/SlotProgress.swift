/// What a slot writes when there is nothing to tell yet though work goes on (proto/worker.md, "SlotProgress").
public enum SlotProgress {
    public static let encoded = Array(#"{"event":"progress"}"#.utf8)
}
