// How large the process is. Called from a signal handler, too: no allocation, no lock.
#define _GNU_SOURCE
#include "CSandbox.h"
#include "internal.h"

#include <fcntl.h>
#include <unistd.h>

uint64_t sandbox_most_address_space = 0;

#ifdef __linux__

/// The given field of /proc/self/statm, in bytes.
static uint64_t field(int index) {
    static int descriptor = -1;
    if (descriptor < 0) descriptor = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    char text[128];
    ssize_t count = pread(descriptor, text, sizeof text, 0);
    uint64_t value = 0;
    for (ssize_t at = 0; at < count; at++) {
        if (text[at] >= '0' && text[at] <= '9') {
            value = value * 10 + (uint64_t)(text[at] - '0');
        } else if (index-- == 0) {
            break;
        } else {
            value = 0;
        }
    }
    return value * (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t sandbox_address_space(void) { return field(0); }
uint64_t sandbox_resident(void) { return field(1); }

#else

#include <mach/mach.h>

static uint64_t info(int resident) {
    mach_task_basic_info_data_t info;
    mach_msg_type_number_t count = MACH_TASK_BASIC_INFO_COUNT;
    if (task_info(mach_task_self(), MACH_TASK_BASIC_INFO, (task_info_t)&info, &count) != KERN_SUCCESS) return 0;
    return resident ? info.resident_size : info.virtual_size;
}

uint64_t sandbox_address_space(void) { return info(0); }
uint64_t sandbox_resident(void) { return info(1); }

#endif
