#ifndef CSCRIPTS_H
#define CSCRIPTS_H

#include <stddef.h>

/// A script that the binary carries: its path below Sources/CScripts and its text in UTF-8.
struct CScript {
    const char *name;
    const unsigned char *bytes;
    size_t count;
};

/// How many scripts the binary carries.
size_t CScriptCount(void);

/// The script at `index`, which must be below CScriptCount().
struct CScript CScriptAt(size_t index);

#endif
