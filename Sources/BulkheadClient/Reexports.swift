// The wire's own types that appear in this library's declarations, so that its users import one module.

@_exported public import struct JSON.JSONFormat
@_exported public import enum JSON.JSONValue
@_exported public import struct Messages.Attachment
@_exported public import struct Messages.ClientEvent
@_exported public import struct Messages.EmbedRequest
@_exported public import enum Messages.ErrorCode
@_exported public import struct Messages.Failure
@_exported public import struct Messages.LogsRequest
@_exported public import struct Messages.MandateFilter
@_exported public import struct Messages.MessagePart
@_exported public import struct Messages.ModelFacts
@_exported public import struct Messages.ModelMessage
@_exported public import struct Messages.ModelOption
@_exported public import struct Messages.PartMetadata
@_exported public import struct Messages.PromptRequest
@_exported public import struct Messages.RequestsRequest
@_exported public import enum Messages.SchemaText
@_exported public import struct Messages.ToolCall
@_exported public import struct Messages.ToolDefinition
@_exported public import struct Messages.ToolResult
@_exported public import struct Messages.ULID
@_exported public import struct Messages.Usage
