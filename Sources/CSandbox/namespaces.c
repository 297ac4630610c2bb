// A world of its own: no network, no files, no capabilities.
#define _GNU_SOURCE
#include "CSandbox.h"

#include <errno.h>

#ifdef __linux__

#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

/// The engine ends its threads and starts them anew, so the filter has to let it; but it has no more than a few.
enum { most_threads = 16 };

static int limit_threads(void) {
    // Until 5.14 Linux counted all of the user's, outside of the namespace, too.
    struct utsname system;
    int major = 0, minor = 0;
    if (uname(&system) || sscanf(system.release, "%d.%d", &major, &minor) != 2) return 0;
    if (major < 5 || (major == 5 && minor < 14)) return 0;
    struct rlimit threads;
    if (getrlimit(RLIMIT_NPROC, &threads)) return errno;
    if (threads.rlim_max < most_threads) return 0;
    threads.rlim_cur = threads.rlim_max = most_threads;
    return setrlimit(RLIMIT_NPROC, &threads) ? errno : 0;
}

int sandbox_namespaces(void) {
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS)) return errno;
    // Nothing that is mounted here is seen outside.
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL)) return errno;
    return limit_threads();
}

int sandbox_empty_root(void) {
    if (mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, "size=4k,mode=0555")) return errno;
    return chroot("/tmp") || chdir("/") ? errno : 0;
}

int sandbox_no_capabilities(void) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0, 0, 0}, {0, 0, 0}};
    return syscall(SYS_capset, &header, none) ? errno : 0;
}

#else

int sandbox_namespaces(void) { return ENOTSUP; }
int sandbox_empty_root(void) { return ENOTSUP; }
int sandbox_no_capabilities(void) { return ENOTSUP; }

#endif
