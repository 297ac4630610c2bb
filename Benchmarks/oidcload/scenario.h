// Scenario: the steps that every virtual user walks over and over, read from a small text file.
//
//     step authorize
//     GET /authorize?client_id=bench&state={random}
//     expect 302
//     capture code query:code
//     step token
//     POST /oauth/token
//     without-cookies
//     body grant_type=authorization_code&code={code|url}
//     expect 200
//     need id_token
//
// `{name}` is a variable of the virtual user, `{name|url}` the same percent-encoded, `{random}` sixteen random hex
// digits. A path may be an absolute URL: only its path and query are used. Lines that begin with # are comments.
#pragma once
#include "statistics.h"
#include <stdbool.h>

enum { MAX_STEPS = 16, MAX_CAPTURES = 8, MAX_HEADERS = 8, MAX_EXPECTED = 4, MAX_NEEDED = 4 };

typedef enum {
    FROM_JSON,     // json:KEY    a member of the JSON body that needs no unescaping (tokens, numbers)
    FROM_QUERY,    // query:NAME  a parameter of the Location header
    FROM_INPUT,    // input:NAME  the value of a form's <input>
    FROM_LOCATION, // location    the whole Location header
} CaptureSource;

typedef struct {
    char *variable;
    CaptureSource source;
    char *argument;
} Capture;

typedef struct {
    char *name;
    const char *method;
    char *path, *body;
    char *headers[MAX_HEADERS];
    Capture captures[MAX_CAPTURES];
    char *needed[MAX_NEEDED]; // texts that the response, head or body, must contain
    int expected[MAX_EXPECTED];
    int header_count, capture_count, needed_count, expected_count;
    bool clear_cookies, without_cookies;
    StepStatistics statistics;
} Step;

typedef struct {
    Step steps[MAX_STEPS];
    int step_count;
} Scenario;

/// Reads `file`; ends the program with the line that is wrong.
void scenario_load(Scenario *scenario, const char *file);
