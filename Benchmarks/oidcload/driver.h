// Driver: a closed loop of virtual users. Each has one connection and sends its next request when the last is answered.
#pragma once
#include "scenario.h"
#include "user.h"

#include <netinet/in.h>

typedef struct {
    struct sockaddr_in address;
    const char *host; // HOST:PORT as given, for the Host header
    Scenario scenario;
    User *users;
    int user_count, running_users;
    uint64_t iterations_per_user; // 0 = until the time is over
    int epoll;

    bool measuring; // what is answered as expected before is the warm-up
    Samples latency; // of whole walks through the scenario
    uint64_t failed, reconnections;
    int failures_shown;
} Driver;

/// Connects every user and sends the first requests.
void driver_start(Driver *driver);

/// Answers have arrived, or connections were closed: waits for them, at most until `deadline`, and goes on.
void driver_turn(Driver *driver, double deadline);
