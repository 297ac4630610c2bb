#define _GNU_SOURCE
#include "response.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const Slice absent = {NULL, 0};

Slice response_header(const Response *response, const char *name, Slice previous) {
    Slice rest = response->head;
    if (previous.start) {
        rest.length -= (size_t)(previous.start - rest.start);
        rest.start = previous.start;
    }
    for (;;) {
        rest = slice_after(rest, "\r\n");
        Slice line = slice_until(rest, "\r");
        if (!rest.start || !line.length) return absent;
        size_t length = strlen(name);
        if (line.length <= length || line.start[length] != ':' || strncasecmp(line.start, name, length)) continue;
        Slice value = {line.start + length + 1, line.length - length - 1};
        while (value.length && *value.start == ' ') value = (Slice){value.start + 1, value.length - 1};
        return value;
    }
}

static bool header_is(const Response *response, const char *name, const char *token) {
    Slice value = response_header(response, name, absent);
    return value.start && value.length >= strlen(token) && !strncasecmp(value.start, token, strlen(token));
}

/// RFC 9112 §7.1. Trailers are not expected: the last chunk is followed by an empty line.
static ParseResult parse_chunks(Response *response, Slice rest) {
    text_clear(&response->unchunked);
    for (;;) {
        Slice data = slice_after(rest, "\r\n");
        if (!data.start) return INCOMPLETE;
        char *end;
        size_t size = strtoul(rest.start, &end, 16);
        if (end == rest.start || size > MAX_RESPONSE) return BROKEN;
        if (data.length < size + 2) return INCOMPLETE;
        if (!size) break;
        text_append(&response->unchunked, data.start, size);
        rest = (Slice){data.start + size + 2, data.length - size - 2};
    }
    response->body = (Slice){response->unchunked.bytes ? response->unchunked.bytes : "", response->unchunked.length};
    return COMPLETE;
}

ParseResult response_parse(Response *response, const Text *input) {
    Slice all = {input->bytes, input->length};
    Slice rest = slice_after(all, "\r\n\r\n");
    if (!rest.start) return INCOMPLETE;
    response->head = (Slice){all.start, all.length - rest.length};
    if (sscanf(all.start, "HTTP/1.1 %3d", &response->status) != 1) return BROKEN;
    response->close = header_is(response, "connection", "close");
    if (header_is(response, "transfer-encoding", "chunked")) return parse_chunks(response, rest);
    Slice length = response_header(response, "content-length", absent);
    if (!length.start && response->status != 204 && response->status != 304) return BROKEN;
    size_t size = length.start ? strtoul(length.start, NULL, 10) : 0;
    response->body = (Slice){rest.start, size};
    return rest.length < size ? INCOMPLETE : COMPLETE;
}

char *response_json(const Response *response, const char *key) {
    char member[80];
    snprintf(member, sizeof member, "\"%s\"", key);
    Slice value = slice_after(response->body, member);
    if (!value.start) return NULL;
    while (value.length && strchr(" \t\r\n:", *value.start)) value = (Slice){value.start + 1, value.length - 1};
    bool quoted = value.length && *value.start == '"';
    value = quoted ? slice_until(slice_after(value, "\""), "\"") : slice_until(value, ",} \r\n");
    return copy_bytes(value.start, value.length);
}

char *response_location(const Response *response) {
    Slice location = response_header(response, "location", absent);
    return location.start ? copy_bytes(location.start, location.length) : NULL;
}

char *response_query(const Response *response, const char *name) {
    Slice location = response_header(response, "location", absent);
    for (const char *delimiters = "?&#"; *delimiters; delimiters++) {
        char parameter[80];
        snprintf(parameter, sizeof parameter, "%c%s=", *delimiters, name);
        Slice rest = slice_after(location, parameter);
        if (!rest.start) continue;
        Slice value = slice_until(rest, "&#");
        char *decoded = copy_bytes(value.start, value.length);
        decode_url(decoded);
        return decoded;
    }
    return NULL;
}

char *response_input(const Response *response, const char *name) {
    char attribute[80];
    snprintf(attribute, sizeof attribute, "name=\"%s\"", name);
    for (Slice rest = slice_after(response->body, "<input"); rest.start; rest = slice_after(rest, "<input")) {
        Slice tag = slice_until(rest, ">");
        Slice value = slice_after(tag, "value=\"");
        if (!slice_contains(tag, attribute) || !value.start) continue;
        value = slice_until(value, "\"");
        char *decoded = copy_bytes(value.start, value.length);
        decode_html(decoded);
        return decoded;
    }
    return NULL;
}
