#ifndef CSANDBOX_INTERNAL_H
#define CSANDBOX_INTERNAL_H

#include <stdint.h>

/// Bytes of address space that the process has.
uint64_t sandbox_address_space(void);

/// Bytes of it that it may have; 0 before sandbox_limits.
extern uint64_t sandbox_most_address_space;

#endif
