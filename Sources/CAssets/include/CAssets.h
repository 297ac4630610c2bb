#ifndef CASSETS_H
#define CASSETS_H

#include <stddef.h>

/// A file that the binary carries: its path below Sources/CAssets and its bytes.
struct CAsset {
    const char *name;
    const unsigned char *bytes;
    size_t count;
};

/// How many files the binary carries.
size_t CAssetCount(void);

/// The file at `index`, which must be below CAssetCount().
struct CAsset CAssetAt(size_t index);

#endif
