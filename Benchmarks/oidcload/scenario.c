#define _GNU_SOURCE
#include "scenario.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// Where the reader is, for its error messages.
typedef struct {
    const char *file;
    int line;
} Position;

/// Room for one more in a fixed table of a step.
static int next_index(int *count, int limit, Position position) {
    if (*count == limit) fail("%s:%d: more than %d of these in one step", position.file, position.line, limit);
    return (*count)++;
}

static char *trimmed(char *line) {
    line += strspn(line, " \t");
    size_t length = strlen(line);
    while (length && strchr(" \t\r\n", line[length - 1])) line[--length] = 0;
    return line;
}

/// `VARIABLE SOURCE[:ARGUMENT]`
static Capture parse_capture(char *text, Position position) {
    static const char *const names[] = {"json", "query", "input", "location"};
    char *variable = strtok(text, " \t"), *source = strtok(NULL, " \t");
    if (!variable || !source) fail("%s:%d: expected capture VARIABLE SOURCE", position.file, position.line);
    char *colon = strchr(source, ':');
    if (colon) *colon = 0;
    for (int i = 0; i <= FROM_LOCATION; i++) {
        if (strcmp(source, names[i])) continue;
        if ((i == FROM_LOCATION) == (colon != NULL)) break;
        return (Capture){copy_string(variable), (CaptureSource)i, copy_string(colon ? colon + 1 : "")};
    }
    fail("%s:%d: the source is json:KEY, query:NAME, input:NAME or location", position.file, position.line);
}

static void parse_directive(Step *step, const char *directive, char *argument, Position position) {
    if (!strcmp(directive, "GET") || !strcmp(directive, "POST")) {
        step->method = *directive == 'G' ? "GET" : "POST";
        step->path = copy_string(argument);
    } else if (!strcmp(directive, "body")) {
        step->body = copy_string(argument);
    } else if (!strcmp(directive, "header")) {
        step->headers[next_index(&step->header_count, MAX_HEADERS, position)] = copy_string(argument);
    } else if (!strcmp(directive, "expect")) {
        for (char *status = strtok(argument, " "); status; status = strtok(NULL, " ")) {
            step->expected[next_index(&step->expected_count, MAX_EXPECTED, position)] = atoi(status);
        }
    } else if (!strcmp(directive, "need")) {
        step->needed[next_index(&step->needed_count, MAX_NEEDED, position)] = copy_string(argument);
    } else if (!strcmp(directive, "capture")) {
        Capture capture = parse_capture(argument, position);
        step->captures[next_index(&step->capture_count, MAX_CAPTURES, position)] = capture;
    } else if (!strcmp(directive, "clear-cookies")) {
        step->clear_cookies = true;
    } else if (!strcmp(directive, "without-cookies")) {
        step->without_cookies = true;
    } else {
        fail("%s:%d: unknown directive %s", position.file, position.line, directive);
    }
}

void scenario_load(Scenario *scenario, const char *file) {
    FILE *stream = fopen(file, "r");
    if (!stream) fail("%s: cannot be read", file);
    char *line = NULL;
    size_t capacity = 0;
    Step *step = NULL;
    for (Position position = {file, 1}; getline(&line, &capacity, stream) > 0; position.line++) {
        char *directive = trimmed(line);
        if (!*directive || *directive == '#') continue;
        char *space = strpbrk(directive, " \t"), *argument = directive + strlen(directive);
        if (space) {
            *space = 0;
            argument = trimmed(space + 1);
        }
        if (!strcmp(directive, "step")) {
            step = &scenario->steps[next_index(&scenario->step_count, MAX_STEPS, position)];
            step->name = copy_string(argument);
        } else if (!step) {
            fail("%s:%d: a scenario begins with step NAME", file, position.line);
        } else {
            parse_directive(step, directive, argument, position);
        }
    }
    free(line);
    fclose(stream);
    if (!scenario->step_count) fail("%s: has no steps", file);
    for (step = scenario->steps; step < scenario->steps + scenario->step_count; step++) {
        if (!step->path || !step->expected_count) fail("%s: step %s needs GET or POST, and expect", file, step->name);
    }
}
