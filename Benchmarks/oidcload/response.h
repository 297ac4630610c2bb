// Response: as much of HTTP/1.1 as a load driver needs to know where an answer ends and what is in it.
#pragma once
#include "text.h"

#include <stdbool.h>

enum { MAX_RESPONSE = 1 << 20 };

typedef struct {
    int status;
    Slice head; // status line and headers, with the empty line
    Slice body; // with a chunked body's framing taken out
    bool close; // the server will not answer again on this connection
    Text unchunked;
} Response;

typedef enum { INCOMPLETE, COMPLETE, BROKEN } ParseResult;

/// Reads what arrived so far. A body without a length, which would end with the connection, counts as BROKEN: no
/// keep-alive server sends one. The slices point into `input` until that changes.
ParseResult response_parse(Response *response, const Text *input);

/// The value of the first header `name` after `previous` (an absent slice to begin with), or an absent slice.
Slice response_header(const Response *response, const char *name, Slice previous);

/// What a scenario's capture asks for: see CaptureSource. The caller owns the result; NULL when it is not there.
char *response_json(const Response *response, const char *key);
char *response_location(const Response *response);
char *response_query(const Response *response, const char *name);
char *response_input(const Response *response, const char *name);
