#pragma once
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/// Calls of Linux that Swift cannot make: they are variadic, or declared only for `_GNU_SOURCE`.

/// close_range(2) without flags.
static inline int CLinux_close_range(unsigned int first, unsigned int last) {
    return (int)syscall(SYS_close_range, first, last, 0);
}
/// prctl(2), PR_SET_DUMPABLE: no core dump, not even through a pipe (core(5)), and no debugger but root's.
static inline int CLinux_set_not_dumpable(void) {
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
/// Overwrites the environment where it lies since the start of the process, which is what /proc/PID/environ shows as long as it
/// lives, and forgets it (clearenv(3)). Whoever needs any of it has copied it before.
static inline void CLinux_erase_environment(void) {
    extern char **environ;
    for (char **entry = environ; entry && *entry; entry++) __builtin_memset(*entry, 0, __builtin_strlen(*entry));
    environ = NULL;
}
/// prctl(2), PR_SET_PDEATHSIG: the signal that this process gets when the thread that started it ends.
static inline int CLinux_set_parent_death_signal(int signal) {
    return prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0);
}
/// prctl(2), PR_SET_NO_NEW_PRIVS: whatever this process executes, it gains no rights by it.
static inline int CLinux_set_no_new_privileges(void) {
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}
/// mallopt(3): what is freed at the end of the heap stays there up to `bytes`, and blocks below that come from the heap.
/// Without it a program that takes and gives back a megabyte for each transaction spends its time in page faults.
static inline void CLinux_keep_heap(int bytes) {
    mallopt(M_TRIM_THRESHOLD, bytes);
    mallopt(M_MMAP_THRESHOLD, bytes);
}
