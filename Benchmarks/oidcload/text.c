#define _GNU_SOURCE
#include "text.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("oidcload: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(2);
}

void text_clear(Text *text) {
    text->length = 0;
}

void text_reserve(Text *text, size_t more) {
    if (text->length + more + 1 <= text->capacity) return;
    text->capacity = (text->length + more + 1) * 2;
    text->bytes = realloc(text->bytes, text->capacity);
    if (!text->bytes) fail("out of memory");
}

void text_append(Text *text, const char *bytes, size_t length) {
    text_reserve(text, length);
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = 0;
}

void text_append_string(Text *text, const char *string) {
    text_append(text, string, strlen(string));
}

void text_append_format(Text *text, const char *format, ...) {
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof line) fail("a formatted line is longer than %zu bytes", sizeof line);
    text_append(text, line, (size_t)length);
}

void text_append_url_encoded(Text *text, const char *string) {
    for (const char *character = string; *character; character++) {
        unsigned char byte = (unsigned char)*character;
        if (isalnum(byte) || strchr("-._~", byte)) {
            text_append(text, character, 1);
        } else {
            text_append_format(text, "%%%02X", byte);
        }
    }
}

char *copy_bytes(const char *bytes, size_t length) {
    char *copy = strndup(bytes, length);
    if (!copy) fail("out of memory");
    return copy;
}

char *copy_string(const char *string) {
    return copy_bytes(string, strlen(string));
}

bool slice_contains(Slice slice, const char *needle) {
    return slice_after(slice, needle).start != NULL;
}

Slice slice_after(Slice slice, const char *needle) {
    if (!slice.start) return slice;
    const char *found = memmem(slice.start, slice.length, needle, strlen(needle));
    if (!found) return (Slice){NULL, 0};
    const char *rest = found + strlen(needle);
    return (Slice){rest, slice.length - (size_t)(rest - slice.start)};
}

Slice slice_until(Slice slice, const char *stops) {
    size_t length = 0;
    while (length < slice.length && !strchr(stops, slice.start[length])) length++;
    return (Slice){slice.start, length};
}

void decode_url(char *string) {
    char *out = string;
    for (const char *in = string; *in; in++) {
        if (*in == '%' && isxdigit((unsigned char)in[1]) && isxdigit((unsigned char)in[2])) {
            char hexadecimal[3] = {in[1], in[2], 0};
            *out++ = (char)strtol(hexadecimal, NULL, 16);
            in += 2;
        } else {
            *out++ = *in == '+' ? ' ' : *in;
        }
    }
    *out = 0;
}

void decode_html(char *string) {
    static const struct {
        const char *entity;
        char character;
    } entities[] = {
        {"&amp;", '&'}, {"&quot;", '"'}, {"&#34;", '"'}, {"&#x27;", '\''}, {"&#39;", '\''},
        {"&lt;", '<'},  {"&gt;", '>'},   {"&#43;", '+'}, {"&#x2F;", '/'},  {"&#61;", '='},
    };
    char *out = string;
    for (const char *in = string; *in;) {
        size_t match = 0;
        for (size_t i = 0; i < sizeof entities / sizeof *entities && !match; i++) {
            size_t length = strlen(entities[i].entity);
            if (strncmp(in, entities[i].entity, length)) continue;
            *out++ = entities[i].character;
            match = length;
        }
        if (match) {
            in += match;
        } else {
            *out++ = *in++;
        }
    }
    *out = 0;
}
