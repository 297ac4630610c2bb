#define _GNU_SOURCE
#include "user.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void user_set(User *user, const char *name, const char *value) {
    for (Variable *variable = user->variables; variable < user->variables + user->variable_count; variable++) {
        if (strcmp(variable->name, name)) continue;
        free(variable->value);
        variable->value = copy_string(value);
        return;
    }
    if (user->variable_count == MAX_VARIABLES) fail("more than %d variables", MAX_VARIABLES);
    user->variables[user->variable_count++] = (Variable){copy_string(name), copy_string(value)};
}

const char *user_get(const User *user, const char *name) {
    for (const Variable *variable = user->variables; variable < user->variables + user->variable_count; variable++) {
        if (!strcmp(variable->name, name)) return variable->value;
    }
    return NULL;
}

static void free_cookie(Cookie cookie) {
    free(cookie.name);
    free(cookie.value);
    free(cookie.path);
}

/// Puts a cookie in the jar in the place of one with the same name and path. An empty value removes it.
static void put_cookie(User *user, Cookie new) {
    for (int i = 0; i < user->cookie_count; i++) {
        Cookie *old = &user->cookies[i];
        if (strcmp(old->name, new.name) || strcmp(old->path, new.path)) continue;
        free_cookie(*old);
        *old = user->cookies[--user->cookie_count];
        break;
    }
    if (!*new.value) {
        free_cookie(new);
        return;
    }
    if (user->cookie_count == MAX_COOKIES) fail("more than %d cookies", MAX_COOKIES);
    user->cookies[user->cookie_count++] = new;
}

void user_take_cookie(User *user, Slice set_cookie) {
    char *header = copy_bytes(set_cookie.start, set_cookie.length);
    char *attributes = strchrnul(header, ';');
    char *equals = memchr(header, '=', (size_t)(attributes - header));
    if (equals) {
        bool expired = strcasestr(attributes, "max-age=0") || strcasestr(attributes, "01 jan 1970");
        const char *path = strcasestr(attributes, "path=");
        path = path && path[strlen("path=")] == '/' ? path + strlen("path=") : "/";
        put_cookie(
            user, (Cookie){
                      .name = copy_bytes(header, (size_t)(equals - header)),
                      .value = expired ? copy_string("") : copy_bytes(equals + 1, (size_t)(attributes - equals - 1)),
                      .path = copy_bytes(path, strcspn(path, "; ")),
                  });
    }
    free(header);
}

void user_clear_cookies(User *user) {
    while (user->cookie_count) free_cookie(user->cookies[--user->cookie_count]);
}

/// RFC 6265 §5.1.4: the cookie's path is the request's, or a folder above it.
static bool belongs_to(const Cookie *cookie, const char *path) {
    size_t length = strlen(cookie->path);
    if (strncmp(path, cookie->path, length)) return false;
    return cookie->path[length - 1] == '/' || !path[length] || strchr("/?", path[length]);
}

void user_write_cookies(const User *user, const char *path, Text *out) {
    const char *separator = "Cookie: ";
    for (const Cookie *cookie = user->cookies; cookie < user->cookies + user->cookie_count; cookie++) {
        if (!belongs_to(cookie, path)) continue;
        text_append_string(out, separator);
        text_append_string(out, cookie->name);
        text_append_string(out, "=");
        text_append_string(out, cookie->value);
        separator = "; ";
    }
    if (*separator == ';') text_append_string(out, "\r\n");
}

static void append_random(Text *out) {
    uint64_t random;
    if (getrandom(&random, sizeof random, 0) != sizeof random) fail("no random numbers");
    text_append_format(out, "%016llx", (unsigned long long)random);
}

static void append_variable(const User *user, const char *name, bool url, Text *out) {
    const char *value = user_get(user, name);
    if (!value) fail("no variable {%s}", name);
    if (url) {
        text_append_url_encoded(out, value);
    } else {
        text_append_string(out, value);
    }
}

void user_expand(const User *user, const char *template, Text *out) {
    while (*template) {
        const char *open = strchrnul(template, '{');
        text_append(out, template, (size_t)(open - template));
        if (!*open) return;
        size_t length = strspn(open + 1, "abcdefghijklmnopqrstuvwxyz_|");
        char name[64];
        if (open[1 + length] != '}' || length >= sizeof name) fail("a { without its } in %s", template);
        memcpy(name, open + 1, length);
        name[length] = 0;
        char *bar = strchr(name, '|');
        if (bar) *bar = 0;
        if (!strcmp(name, "random")) {
            append_random(out);
        } else {
            append_variable(user, name, bar != NULL, out);
        }
        template = open + length + 2;
    }
}

void user_load(User *user, const char *line) {
    char *copy = copy_string(line), *rest = NULL;
    for (char *field = strtok_r(copy, "\t\n", &rest); field; field = strtok_r(NULL, "\t\n", &rest)) {
        char *equals = strchr(field, '=');
        if (!equals) fail("a user's field has no value: %s", field);
        *equals = 0;
        if (strncmp(field, "cookie:", strlen("cookie:"))) {
            user_set(user, field, equals + 1);
            continue;
        }
        char *name = field + strlen("cookie:"), *at = strchr(name, '@');
        if (!at) fail("a cookie has no path: %s", field);
        *at++ = 0;
        if (*at != '/') fail("a cookie's path begins with /: %s", at);
        put_cookie(user, (Cookie){copy_string(name), copy_string(equals + 1), copy_string(at)});
    }
    free(copy);
}

void user_store(const User *user, FILE *out) {
    for (const Cookie *cookie = user->cookies; cookie < user->cookies + user->cookie_count; cookie++) {
        fprintf(out, "cookie:%s@%s=%s\t", cookie->name, cookie->path, cookie->value);
    }
    for (const Variable *variable = user->variables; variable < user->variables + user->variable_count; variable++) {
        fprintf(out, "%s=%s\t", variable->name, variable->value);
    }
    fputc('\n', out);
}
