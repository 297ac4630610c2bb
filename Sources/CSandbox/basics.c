// What holds everywhere: privileges, descriptors, limits.
#define _GNU_SOURCE
#include "CSandbox.h"
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

static int limit(int resource, rlim_t value) {
    struct rlimit both = {value, value};
    return setrlimit(resource, &both) ? errno : 0;
}

static void close_others(int socket) {
    int least = socket + 1;
#ifdef __linux__
    if (close_range(least, ~0U, 0) == 0) return;
#endif
    long most = sysconf(_SC_OPEN_MAX);
    for (int descriptor = least; descriptor < (most > 0 ? most : 1024); descriptor++) close(descriptor);
}

int sandbox_basics(int socket) {
    signal(SIGPIPE, SIG_IGN);
#ifdef __linux__
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return errno;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL)) return errno;
    if (prctl(PR_SET_DUMPABLE, 0)) return errno;
#endif
    close_others(socket);
    int problem = limit(RLIMIT_CORE, 0);
    // Whatever is open already cannot grow a file either.
    return problem ? problem : limit(RLIMIT_FSIZE, 0);
}

int sandbox_limits(uint64_t growth) {
    int problem = limit(RLIMIT_NOFILE, 8);
    if (problem) return problem;
#ifdef __linux__
    sandbox_most_address_space = sandbox_address_space() + growth;
    return limit(RLIMIT_AS, sandbox_most_address_space);
#else
    (void)growth;
    return 0;
#endif
}
