// What the kernel still does for the process.
#define _GNU_SOURCE
#include "CSandbox.h"

#include <errno.h>

#ifdef __linux__

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define NATIVE_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "The system call filter knows x86_64 and aarch64."
#endif

/// Memory, time, threads, signals among its own threads, and reading and writing what is open.
static const int allowed[] = {
    SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64, SYS_close, SYS_ppoll,
    SYS_munmap, SYS_mremap, SYS_madvise, SYS_brk, SYS_mlock, SYS_mincore, SYS_membarrier,
    SYS_futex, SYS_set_robust_list, SYS_rseq, SYS_sched_yield, SYS_sched_getaffinity, SYS_gettid, SYS_getpid,
    SYS_clock_gettime, SYS_gettimeofday, SYS_clock_nanosleep, SYS_nanosleep, SYS_getrusage, SYS_sysinfo,
    SYS_rt_sigreturn, SYS_rt_sigprocmask, SYS_rt_sigaction, SYS_sigaltstack, SYS_restart_syscall,
    SYS_getrandom, SYS_exit, SYS_exit_group,
#if defined(__x86_64__)
    SYS_poll, SYS_time,
#endif
};

/// What no engine does: whoever tries has broken out of it.
static const int deadly[] = {
    SYS_execve, SYS_execveat, SYS_ptrace, SYS_socket, SYS_socketpair, SYS_connect, SYS_bind, SYS_process_vm_readv,
    SYS_process_vm_writev, SYS_bpf, SYS_io_uring_setup, SYS_userfaultfd, SYS_keyctl, SYS_mount, SYS_unshare, SYS_setns,
#if defined(__x86_64__)
    SYS_fork, SYS_vfork,
#endif
};

struct program {
    struct sock_filter code[512];
    unsigned short count;
};

static void add(struct program *program, struct sock_filter instruction) {
    program->code[program->count++] = instruction;
}

#define STATEMENT(code, value) ((struct sock_filter)BPF_STMT(code, value))
#define JUMP(code, value, yes, no) ((struct sock_filter)BPF_JUMP(code, value, yes, no))

static void load(struct program *program, size_t offset) {
    add(program, STATEMENT(BPF_LD | BPF_W | BPF_ABS, (unsigned)offset));
}
static void answer(struct program *program, unsigned action) { add(program, STATEMENT(BPF_RET | BPF_K, action)); }

/// Where the loaded word is `value`, the next `count` instructions; else those behind them.
static void when(struct program *program, unsigned value, unsigned char count) {
    add(program, JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, count));
}

static size_t low_half(int argument) { return offsetof(struct seccomp_data, args) + 8 * (size_t)argument; }

static void build(struct program *program) {
    load(program, offsetof(struct seccomp_data, arch));
    add(program, JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCHITECTURE, 1, 0));
    answer(program, SECCOMP_RET_KILL_PROCESS);
    load(program, offsetof(struct seccomp_data, nr));
#if defined(__x86_64__)
    // The calls of the x32 interface have numbers of their own.
    add(program, JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1));
    answer(program, SECCOMP_RET_KILL_PROCESS);
#endif
    for (size_t index = 0; index < sizeof allowed / sizeof allowed[0]; index++) {
        when(program, (unsigned)allowed[index], 1);
        answer(program, SECCOMP_RET_ALLOW);
    }
    for (size_t index = 0; index < sizeof deadly / sizeof deadly[0]; index++) {
        when(program, (unsigned)deadly[index], 1);
        answer(program, SECCOMP_RET_KILL_PROCESS);
    }
    // A filter cannot look into clone3's structure; without it, threads are made with clone.
    when(program, SYS_clone3, 1);
    answer(program, SECCOMP_RET_ERRNO | ENOSYS);
    when(program, SYS_clone, 4);
    load(program, low_half(0));
    add(program, JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1));
    answer(program, SECCOMP_RET_ALLOW);
    answer(program, SECCOMP_RET_KILL_PROCESS);
    // Signals to threads of this process.
    when(program, SYS_tgkill, 4);
    load(program, low_half(0));
    when(program, (unsigned)getpid(), 1);
    answer(program, SECCOMP_RET_ALLOW);
    answer(program, SECCOMP_RET_ERRNO | EPERM);
    // Memory, but none that can be executed.
    const int mapping[] = {SYS_mmap, SYS_mprotect};
    for (size_t index = 0; index < 2; index++) {
        when(program, (unsigned)mapping[index], 4);
        load(program, low_half(2));
        add(program, JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1));
        answer(program, SECCOMP_RET_ERRNO | EACCES);
        answer(program, SECCOMP_RET_ALLOW);
    }
    answer(program, SECCOMP_RET_ERRNO | EPERM);
}

int sandbox_filter(void) {
    struct program program = {.count = 0};
    build(&program);
    struct sock_fprog filter = {program.count, program.code};
    // For the threads that are there already, too.
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter) ? errno : 0;
}

#else

#include <stdlib.h>

// Deprecated in favour of signed applications' entitlements, which a command has none of.
int sandbox_init(const char *profile, uint64_t flags, char **problem);
void sandbox_free_error(char *problem);

/// No files, no network, no processes: computation alone.
int sandbox_filter(void) {
    char *problem = NULL;
    if (sandbox_init("pure-computation", 1, &problem) == 0) return 0;
    if (problem) sandbox_free_error(problem);
    return EPERM;
}

#endif
