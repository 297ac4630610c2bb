// Text: a growable byte buffer, slices of somebody else's bytes, and the three encodings a browser meets.
#pragma once
#include <stdbool.h>
#include <stddef.h>

typedef struct {
    char *bytes; // always NUL-terminated once something was appended
    size_t length, capacity;
} Text;

/// Bytes inside another buffer. `start` is NULL when what was looked for is not there.
typedef struct {
    const char *start;
    size_t length;
} Slice;

/// Prints "oidcload: …" and ends the program with status 2.
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

void text_clear(Text *text);
void text_reserve(Text *text, size_t more);
void text_append(Text *text, const char *bytes, size_t length);
void text_append_string(Text *text, const char *string);
void text_append_format(Text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_append_url_encoded(Text *text, const char *string);

/// A NUL-terminated copy that the caller owns.
char *copy_bytes(const char *bytes, size_t length);
char *copy_string(const char *string);

bool slice_contains(Slice slice, const char *needle);

/// The rest of `slice` after the first `needle`, or an absent slice.
Slice slice_after(Slice slice, const char *needle);

/// The part of `slice` before the first of the characters in `stops` (all of it when none occurs).
Slice slice_until(Slice slice, const char *stops);

/// Both decode in place: percent-encoding with `+` for a space, and the HTML entities of attribute values.
void decode_url(char *string);
void decode_html(char *string);
