// Tries what the sandbox must not allow.
#define _GNU_SOURCE
#include "CSandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static int outcome(long result) { return result < 0 ? errno : 0; }

static int read_file(void) { return outcome(open("/etc/passwd", O_RDONLY)); }
static int write_file(void) { return outcome(open("/tmp/escaped", O_WRONLY | O_CREAT, 0600)); }
static int list_folder(void) { return opendir("/") ? 0 : errno; }
static int look_at_file(void) {
    struct stat status;
    return outcome(stat("/etc/passwd", &status));
}
static int other_process(void) { return outcome(open("/proc/1/environ", O_RDONLY)); }
static int own_process(void) { return outcome(open("/proc/self/mem", O_RDWR)); }
static int signal_parent(void) { return outcome(kill(getppid(), 0)); }
static int open_socket(void) { return outcome(socket(AF_INET, SOCK_STREAM, 0)); }
static int open_local_socket(void) { return outcome(socket(AF_UNIX, SOCK_STREAM, 0)); }
static int make_process(void) {
    pid_t child = fork();
    if (child == 0) _exit(0);
    return outcome(child);
}
static void *wait_for_end(void *nothing) {
    for (;;) sleep(1);
    return nothing;
}
static int many_threads(void) {
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 1 << 16);
    int problem = 0;
    for (int count = 0; count < 64 && problem == 0; count++) {
        pthread_t thread;
        problem = pthread_create(&thread, &small, wait_for_end, NULL);
    }
    return problem;
}
static int run_program(void) {
    char *const nothing[] = {"true", NULL};
    return outcome(execve("/bin/true", nothing, NULL));
}
static int executable_memory(void) {
    void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? errno : 0;
}
static int raise_limit(void) {
    struct rlimit most = {RLIM_INFINITY, RLIM_INFINITY};
    return outcome(setrlimit(RLIMIT_NOFILE, &most));
}
static int change_root(void) { return outcome(chroot("/")); }
static int environment(void) {
    extern char **environ;
    for (char **entry = environ; entry && *entry; entry++) {
        if (strncmp(*entry, "PORTICO_", 8) == 0 || strncmp(*entry, "HOME=", 5) == 0) return 0;
    }
    return EACCES;
}
static int inherited_files(void) {
    // The first ones are its own: the socket, and what the engine opens.
    for (int descriptor = 16; descriptor < 1024; descriptor++) {
        char byte;
        if (read(descriptor, &byte, 0) == 0) return 0;
    }
    return EBADF;
}

static const struct {
    const char *name;
    int (*attempt)(void);
} attempts[] = {
    {"read-file", read_file}, {"write-file", write_file}, {"list-folder", list_folder}, {"look-at-file", look_at_file},
    {"other-process", other_process}, {"own-process", own_process}, {"signal-parent", signal_parent},
    {"socket", open_socket}, {"local-socket", open_local_socket}, {"fork", make_process}, {"exec", run_program},
    {"executable-memory", executable_memory}, {"raise-limit", raise_limit}, {"change-root", change_root},
    {"threads", many_threads}, {"environment", environment}, {"inherited-files", inherited_files},
};

enum { count = sizeof attempts / sizeof attempts[0] };

int sandbox_probe(const char *name) {
    for (int index = 0; index < count; index++) {
        if (strcmp(attempts[index].name, name) == 0) return attempts[index].attempt();
    }
    return -1;
}

const char *const *sandbox_probes(void) {
    static const char *names[count + 1];
    for (int index = 0; index < count; index++) names[index] = attempts[index].name;
    return names;
}
