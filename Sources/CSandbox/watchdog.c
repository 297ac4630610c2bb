// Ends the process when a run passes a limit. The engine's own limit misses loops of promises and of regular expressions.
#define _GNU_SOURCE
#include "CSandbox.h"
#include "internal.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t sending = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t counting = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t armed = PTHREAD_COND_INITIALIZER;

static int channel = -1;
static struct {
    int is_armed;
    uint64_t number, cpu_start, cpu_limit, wall_start, wall_limit, most_resident, resident_start, peak;
} run;

static uint64_t microseconds(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

static int write_all(int socket, const unsigned char *bytes, size_t count) {
    while (count > 0) {
        ssize_t written = write(socket, bytes, count);
        if (written < 0 && errno != EINTR) return errno;
        if (written > 0) {
            bytes += written;
            count -= (size_t)written;
        }
    }
    return 0;
}

int sandbox_send(int socket, const void *bytes, size_t count) {
    pthread_mutex_lock(&sending);
    int problem = write_all(socket, bytes, count);
    pthread_mutex_unlock(&sending);
    return problem;
}

static unsigned char *put(unsigned char *at, uint64_t value, int count) {
    for (int index = 0; index < count; index++) *at++ = (unsigned char)(value >> (8 * index));
    return at;
}

/// WorkerMessage.exceeded, which the server reads. Called by a signal handler, too.
static void tell(const char *limit) {
    unsigned char frame[128];
    size_t length = strlen(limit);
    unsigned char *end = put(frame, 1 + 8 + 8 + length + 24, 4);
    *end++ = 'K';
    end = put(end, run.number, 8);
    end = put(end, length, 8);
    memcpy(end, limit, length);
    end += length;
    end = put(end, microseconds(CLOCK_PROCESS_CPUTIME_ID) - run.cpu_start, 8);
    end = put(end, microseconds(CLOCK_MONOTONIC) - run.wall_start, 8);
    end = put(end, run.peak, 8);
    write_all(channel, frame, (size_t)(end - frame));
}

static void finish(const char *limit) {
    // Whoever holds the lock is amid a frame. If it does not come to its end, the server's patience does.
    for (int attempt = 0; attempt < 200; attempt++) {
        if (pthread_mutex_trylock(&sending) == 0) {
            tell(limit);
            break;
        }
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    }
    _exit(124);
}

static const char *exceeded(void) {
    uint64_t resident = sandbox_resident();
    if (resident > run.peak) run.peak = resident;
    if (resident > run.most_resident) return "memory";
    if (microseconds(CLOCK_PROCESS_CPUTIME_ID) - run.cpu_start > run.cpu_limit) return "cpu";
    if (microseconds(CLOCK_MONOTONIC) - run.wall_start > run.wall_limit) return "wall";
    return NULL;
}

static void *watch(void *nothing) {
    (void)nothing;
    for (;;) {
        pthread_mutex_lock(&counting);
        while (!run.is_armed) pthread_cond_wait(&armed, &counting);
        const char *limit = exceeded();
        // The lock is kept: nobody disarms between the verdict and the end.
        if (limit) finish(limit);
        pthread_mutex_unlock(&counting);
        nanosleep(&(struct timespec){0, 4000000}, NULL);
    }
    return NULL;
}

/// An engine that gets no memory ends itself with a signal. That is a limit passed, not a crash.
static void on_crash(int signal_number) {
    uint64_t slack = 24 << 20;
    uint64_t resident = sandbox_resident();
    int is_full = sandbox_most_address_space > 0 && sandbox_address_space() + slack > sandbox_most_address_space;
    if (resident > run.peak) run.peak = resident;
    if (run.is_armed && (is_full || resident > run.resident_start + (run.most_resident - run.resident_start) / 4 * 3)
        && pthread_mutex_trylock(&sending) == 0) {
        tell("memory");
    }
    signal(signal_number, SIG_DFL);
    raise(signal_number);
    _exit(128 + signal_number);
}

static void catch_crashes(void) {
    static unsigned char other_stack[1 << 15];
    stack_t stack = {.ss_sp = other_stack, .ss_size = sizeof other_stack};
    sigaltstack(&stack, NULL);
    const int signals[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP};
    for (size_t index = 0; index < sizeof signals / sizeof signals[0]; index++) {
        struct sigaction action = {.sa_handler = on_crash, .sa_flags = SA_ONSTACK | SA_NODEFER};
        sigaction(signals[index], &action, NULL);
    }
}

int sandbox_watchdog_start(int socket) {
    channel = socket;
    sandbox_resident();
    catch_crashes();
    pthread_t thread;
    return pthread_create(&thread, NULL, watch, NULL);
}

void sandbox_watchdog_arm(uint64_t number, uint64_t cpu, uint64_t wall, uint64_t growth) {
    pthread_mutex_lock(&counting);
    uint64_t resident = sandbox_resident();
    run.number = number;
    run.cpu_start = microseconds(CLOCK_PROCESS_CPUTIME_ID);
    run.wall_start = microseconds(CLOCK_MONOTONIC);
    run.cpu_limit = cpu;
    run.wall_limit = wall;
    run.resident_start = run.peak = resident;
    run.most_resident = resident + growth;
    run.is_armed = 1;
    pthread_cond_signal(&armed);
    pthread_mutex_unlock(&counting);
}

struct sandbox_usage sandbox_watchdog_disarm(void) {
    pthread_mutex_lock(&counting);
    uint64_t resident = sandbox_resident();
    run.is_armed = 0;
    struct sandbox_usage usage = {
        microseconds(CLOCK_PROCESS_CPUTIME_ID) - run.cpu_start, microseconds(CLOCK_MONOTONIC) - run.wall_start,
        resident > run.peak ? resident : run.peak};
    pthread_mutex_unlock(&counting);
    return usage;
}
