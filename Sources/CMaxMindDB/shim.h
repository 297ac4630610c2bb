#include <maxminddb.h>
#include <stdbool.h>
#include <stdint.h>

// The library's results have a union with a number of 128 bits, and its convenient functions take any number of arguments:
// Swift reads neither.

/// Finds what a database says of an address.
/// \return whether it says anything.
static inline bool maxmind_find(const MMDB_s *database, const char *address, MMDB_entry_s *entry) {
    int problem = 0, failure = MMDB_SUCCESS;
    MMDB_lookup_result_s result = MMDB_lookup_string(database, address, &problem, &failure);
    if (problem != 0 || failure != MMDB_SUCCESS || !result.found_entry) return false;
    *entry = result.entry;
    return true;
}

/// Reads a text, which is not terminated.
/// \return whether there is one.
static inline bool maxmind_text(MMDB_entry_s *entry, const char *const *path, const char **text, uint32_t *size) {
    MMDB_entry_data_s data;
    if (MMDB_aget_value(entry, &data, path) != MMDB_SUCCESS || !data.has_data) return false;
    if (data.type != MMDB_DATA_TYPE_UTF8_STRING) return false;
    *text = data.utf8_string;
    *size = data.data_size;
    return true;
}

/// Reads a number.
/// \return whether there is one.
static inline bool maxmind_number(MMDB_entry_s *entry, const char *const *path, double *number) {
    MMDB_entry_data_s data;
    if (MMDB_aget_value(entry, &data, path) != MMDB_SUCCESS || !data.has_data) return false;
    switch (data.type) {
    case MMDB_DATA_TYPE_DOUBLE: *number = data.double_value; return true;
    case MMDB_DATA_TYPE_FLOAT: *number = data.float_value; return true;
    case MMDB_DATA_TYPE_UINT16: *number = data.uint16; return true;
    case MMDB_DATA_TYPE_UINT32: *number = data.uint32; return true;
    default: return false;
    }
}
