#define _GNU_SOURCE
#include "driver.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_FAILURES_IN_A_ROW = 20, MAX_RESENDS = 3, MAX_FAILURES_SHOWN = 3, READ_SIZE = 16384, SHOWN_BYTES = 1500 };

static const Slice absent = {NULL, 0};

// MARK: - Connections

// Sockets block: requests are far smaller than a socket's buffer, and epoll says when there is something to read.
static void connect_user(Driver *driver, User *user) {
    user->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (user->socket < 0) fail("socket: %s", strerror(errno));
    int on = 1;
    setsockopt(user->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(user->socket, (struct sockaddr *)&driver->address, sizeof driver->address)) {
        fail("cannot connect to %s: %s", driver->host, strerror(errno));
    }
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = user};
    if (epoll_ctl(driver->epoll, EPOLL_CTL_ADD, user->socket, &event)) fail("epoll: %s", strerror(errno));
    user->connection_used = false;
}

static void disconnect_user(User *user) {
    if (user->socket >= 0) close(user->socket);
    user->socket = -1;
}

// A failed write needs no handling of its own: the read that follows tells that the connection is closed.
static void send_request(Driver *driver, User *user) {
    if (user->socket < 0) connect_user(driver, user);
    text_clear(&user->input);
    for (size_t sent = 0; sent < user->request.length;) {
        ssize_t count = send(user->socket, user->request.bytes + sent, user->request.length - sent, MSG_NOSIGNAL);
        if (count <= 0) return;
        sent += (size_t)count;
    }
}

// MARK: - Steps

/// The path and query of an absolute URL, or `url` itself.
static const char *path_of(const char *url) {
    const char *authority = strstr(url, "://");
    if (*url == '/' || !authority) return url;
    const char *path = strchr(authority + 3, '/');
    return path ? path : "/";
}

static void write_request(const Driver *driver, User *user, const Step *step) {
    Text path = {0}, body = {0};
    user_expand(user, step->path, &path);
    if (step->body) user_expand(user, step->body, &body);
    Text *request = &user->request;
    text_clear(request);
    text_append_string(request, step->method);
    text_append_string(request, " ");
    text_append_string(request, path_of(path.bytes));
    text_append_format(request, " HTTP/1.1\r\nHost: %s\r\n", driver->host);
    if (!step->without_cookies) user_write_cookies(user, path_of(path.bytes), request);
    for (int i = 0; i < step->header_count; i++) {
        user_expand(user, step->headers[i], request);
        text_append_string(request, "\r\n");
    }
    if (*step->method == 'P') {
        text_append_string(request, "Content-Type: application/x-www-form-urlencoded\r\n");
        text_append_format(request, "Content-Length: %zu\r\n", body.length);
    }
    text_append_string(request, "\r\n");
    if (body.length) text_append(request, body.bytes, body.length);
    free(path.bytes);
    free(body.bytes);
}

static void begin_step(Driver *driver, User *user) {
    const Step *step = &driver->scenario.steps[user->step];
    user->step_began = now();
    if (user->step == 0) user->scenario_began = user->step_began;
    if (step->clear_cookies) user_clear_cookies(user);
    user->resends = 0;
    write_request(driver, user, step);
    send_request(driver, user);
}

static char *captured(const Response *response, const Capture *capture) {
    switch (capture->source) {
    case FROM_JSON: return response_json(response, capture->argument);
    case FROM_QUERY: return response_query(response, capture->argument);
    case FROM_INPUT: return response_input(response, capture->argument);
    case FROM_LOCATION: return response_location(response);
    }
    return NULL;
}

/// Takes cookies and captures out of a response. Returns what is wrong with it, or NULL.
static const char *take_response(User *user, const Step *step) {
    const Response *response = &user->response;
    Slice cookie = absent;
    while ((cookie = response_header(response, "set-cookie", cookie)).start) user_take_cookie(user, cookie);
    bool expected = false;
    for (int i = 0; i < step->expected_count; i++) expected |= step->expected[i] == response->status;
    if (!expected) return "unexpected status";
    for (int i = 0; i < step->needed_count; i++) {
        const char *text = step->needed[i];
        if (!slice_contains(response->head, text) && !slice_contains(response->body, text)) return text;
    }
    for (int i = 0; i < step->capture_count; i++) {
        char *value = captured(response, &step->captures[i]);
        if (!value) return step->captures[i].variable;
        user_set(user, step->captures[i].variable, value);
        free(value);
    }
    return NULL;
}

static int shown(size_t length) {
    return (int)(length > SHOWN_BYTES ? SHOWN_BYTES : length);
}

static void show_failure(Driver *driver, const User *user, const Step *step, const char *problem) {
    if (driver->failures_shown++ >= MAX_FAILURES_SHOWN) return;
    fprintf(stderr, "oidcload: step %s failed (%s)\n--- request\n", step->name, problem);
    fprintf(stderr, "%.*s\n--- answer\n", shown(user->request.length), user->request.bytes);
    fprintf(stderr, "%.*s\n", shown(user->input.length), user->input.length ? user->input.bytes : "(nothing)");
}

/// The step under way has ended: notes it and begins the next, or the first again after a failure.
static void end_step(Driver *driver, User *user, const char *problem) {
    Step *step = &driver->scenario.steps[user->step];
    double time = now();
    if (problem) {
        show_failure(driver, user, step, problem);
        user->failures_in_a_row++;
        // A failure counts in the warm-up too: it would spoil the figures all the same.
        step->statistics.failed++;
        driver->failed++;
        user->step = 0;
    } else {
        user->failures_in_a_row = 0;
        if (driver->measuring) {
            samples_add(&step->statistics.latency, time - user->step_began);
            step->statistics.bytes += user->input.length;
        }
        if (++user->step == driver->scenario.step_count) {
            if (driver->measuring) samples_add(&driver->latency, time - user->scenario_began);
            user->succeeded = true;
            user->step = 0;
        }
    }
    if (user->step == 0) user->iterations++;
    bool finished = user->step == 0 && driver->iterations_per_user && user->iterations >= driver->iterations_per_user;
    if (finished || user->failures_in_a_row == MAX_FAILURES_IN_A_ROW) {
        if (!finished) fprintf(stderr, "oidcload: a user gave up after %d failures\n", MAX_FAILURES_IN_A_ROW);
        disconnect_user(user);
        driver->running_users--;
        return;
    }
    begin_step(driver, user);
}

// MARK: - Answers

/// A server may close an idle connection at any time, so a request that met a closed one is sent again.
static void connection_closed(Driver *driver, User *user) {
    bool idle = user->input.length == 0 && user->connection_used;
    disconnect_user(user);
    driver->reconnections++;
    if (idle && user->resends++ < MAX_RESENDS) {
        send_request(driver, user);
    } else {
        end_step(driver, user, "the server closed the connection");
    }
}

/// One read for each event, so that a user with fast answers cannot starve the others.
static void readable(Driver *driver, User *user) {
    Text *input = &user->input;
    text_reserve(input, READ_SIZE);
    ssize_t count = recv(user->socket, input->bytes + input->length, READ_SIZE, 0);
    if (count <= 0) {
        connection_closed(driver, user);
        return;
    }
    input->length += (size_t)count;
    input->bytes[input->length] = 0;
    ParseResult result = response_parse(&user->response, input);
    if (result == INCOMPLETE && input->length < MAX_RESPONSE) return;
    const char *problem = "not an HTTP/1.1 answer of at most 1 MiB with a length";
    if (result == COMPLETE) {
        Step *step = &driver->scenario.steps[user->step];
        int status = user->response.status;
        if (driver->measuring && status >= 0 && status < 600) step->statistics.statuses[status]++;
        user->connection_used = true;
        problem = take_response(user, step);
    }
    if (result != COMPLETE || user->response.close) {
        disconnect_user(user);
        driver->reconnections++;
    }
    end_step(driver, user, problem);
}

void driver_start(Driver *driver) {
    driver->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (driver->epoll < 0) fail("epoll: %s", strerror(errno));
    driver->running_users = driver->user_count;
    for (int i = 0; i < driver->user_count; i++) connect_user(driver, &driver->users[i]);
    for (int i = 0; i < driver->user_count; i++) begin_step(driver, &driver->users[i]);
}

void driver_turn(Driver *driver, double deadline) {
    struct epoll_event events[256];
    double remaining = deadline - now();
    int milliseconds = remaining > 0 ? (int)(remaining * 1000) + 1 : 0;
    int count = epoll_wait(driver->epoll, events, 256, milliseconds);
    if (count < 0 && errno != EINTR) fail("epoll: %s", strerror(errno));
    for (int i = 0; i < count; i++) readable(driver, events[i].data.ptr);
}
