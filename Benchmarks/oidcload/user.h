// User: one virtual user with a browser's memory: variables captured on the way, and a cookie jar.
//
// Users are stored one to a line, fields separated by tabs: `name=value` or `cookie:NAME@PATH=VALUE`.
#pragma once
#include "response.h"
#include "text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { MAX_VARIABLES = 32, MAX_COOKIES = 24 };

typedef struct {
    char *name, *value;
} Variable;

typedef struct {
    char *name, *value, *path;
} Cookie;

typedef struct {
    int socket; // -1 when not connected
    bool connection_used; // an answer came over this connection, so the server may close it as idle
    int resends;          // of the request under way, over new connections
    Text request, input;
    Response response;

    int step;
    uint64_t iterations;
    int failures_in_a_row;
    bool succeeded; // walked the whole scenario at least once
    double step_began, scenario_began;

    Variable variables[MAX_VARIABLES];
    Cookie cookies[MAX_COOKIES];
    int variable_count, cookie_count;
} User;

void user_set(User *user, const char *name, const char *value);
const char *user_get(const User *user, const char *name);

/// Takes a Set-Cookie header's value; an expired or empty cookie is removed.
void user_take_cookie(User *user, Slice set_cookie);
void user_clear_cookies(User *user);

/// Appends a Cookie header with what belongs to `path`, or nothing.
void user_write_cookies(const User *user, const char *path, Text *out);

/// Appends `template` with its variables filled in.
void user_expand(const User *user, const char *template, Text *out);

void user_load(User *user, const char *line);
void user_store(const User *user, FILE *out);
