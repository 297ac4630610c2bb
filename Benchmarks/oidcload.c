// oidcload: loads a server on this machine with OAuth 2.0 and OpenID Connect flows of several steps.
//
// One thread, epoll, HTTP/1.1 keep-alive. N virtual users hold N connections; each walks the scenario's steps in order,
// carrying cookies and captured values along, until the time is over. The result is one line of JSON; an empty line
// before it says that the warm-up is over. Only loopback addresses are accepted, and every run ends after at most two
// minutes.
//
//     oidcload -a 127.0.0.1:8080 -s SCENARIO [-u USERS] [-c CONNECTIONS] [-d SECONDS] [-w WARM-UP SECONDS]
//              [-n ITERATIONS PER USER] [-o USERS AFTERWARDS] [-p PROCESS ID OF THE SERVER]
//
// scenario.h describes the scenario file, user.h the users file.
#define _GNU_SOURCE
#include "oidcload/driver.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    const char *address, *scenario_file, *users_file, *users_out_file;
    int connections, server_process;
    double seconds, warm_up;
    uint64_t iterations;
} Options;

static Options parse_options(int count, char **arguments) {
    Options options = {.connections = 1, .seconds = 3, .warm_up = 0.3};
    for (int option; (option = getopt(count, arguments, "a:s:u:c:d:w:n:o:p:")) != -1;) {
        switch (option) {
        case 'a': options.address = optarg; break;
        case 's': options.scenario_file = optarg; break;
        case 'u': options.users_file = optarg; break;
        case 'o': options.users_out_file = optarg; break;
        case 'c': options.connections = atoi(optarg); break;
        case 'd': options.seconds = atof(optarg); break;
        case 'w': options.warm_up = atof(optarg); break;
        case 'n': options.iterations = strtoull(optarg, NULL, 10); break;
        case 'p': options.server_process = atoi(optarg); break;
        default: fail("unknown option: see the head of oidcload.c");
        }
    }
    if (!options.address || !options.scenario_file) fail("-a HOST:PORT and -s SCENARIO are needed");
    if (options.connections < 1 || options.connections > 1024) fail("-c is between 1 and 1024");
    if (options.seconds <= 0 || options.warm_up < 0 || options.seconds + options.warm_up > 120) {
        fail("-d and -w together are at most 120 seconds");
    }
    // With counted iterations every one of them counts.
    if (options.iterations) options.warm_up = 0;
    return options;
}

static struct sockaddr_in parse_address(const char *text) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    char host[64];
    const char *colon = strchr(text, ':');
    if (!colon || (size_t)(colon - text) >= sizeof host) fail("the address is HOST:PORT");
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = 0;
    address.sin_port = htons((uint16_t)atoi(colon + 1));
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1 || ntohl(address.sin_addr.s_addr) >> 24 != 127) {
        fail("only loopback addresses (127.0.0.0/8) are loaded, not %s", host);
    }
    return address;
}

/// User i gets line i of the file, and from the beginning again when there are more users than lines.
static User *make_users(int count, const char *file) {
    User *users = calloc((size_t)count, sizeof *users);
    if (!users) fail("out of memory");
    for (int i = 0; i < count; i++) users[i].socket = -1;
    if (!file) return users;
    FILE *stream = fopen(file, "r");
    if (!stream) fail("%s: cannot be read", file);
    char *line = NULL;
    size_t capacity = 0;
    for (int i = 0; i < count; i++) {
        if (getline(&line, &capacity, stream) <= 0) {
            if (i == 0) fail("%s: has no users", file);
            rewind(stream);
            if (getline(&line, &capacity, stream) <= 0) fail("%s: cannot be read", file);
        }
        user_load(&users[i], line);
    }
    free(line);
    fclose(stream);
    return users;
}

/// Users who never came to the end of the scenario are left out.
static void store_users(const Driver *driver, const char *file) {
    FILE *stream = fopen(file, "w");
    if (!stream) fail("%s: cannot be written", file);
    for (int i = 0; i < driver->user_count; i++) {
        if (driver->users[i].succeeded) user_store(&driver->users[i], stream);
    }
    fclose(stream);
}

static void print_step(Step *step) {
    StepStatistics *statistics = &step->statistics;
    size_t succeeded = statistics->latency.count;
    printf("\"%s\":{\"failed\":%llu,", step->name, (unsigned long long)statistics->failed);
    printf("\"mean_bytes\":%llu,", (unsigned long long)(succeeded ? statistics->bytes / succeeded : 0));
    printf("\"latency_us\":");
    samples_print(&statistics->latency, stdout);
    printf(",\"statuses\":{");
    const char *separator = "";
    for (int status = 0; status < 600; status++) {
        if (!statistics->statuses[status]) continue;
        printf("%s\"%d\":%llu", separator, status, (unsigned long long)statistics->statuses[status]);
        separator = ",";
    }
    printf("}}");
}

static void print_report(Driver *driver, double seconds, Usage before, Usage after, int server) {
    size_t operations = driver->latency.count;
    printf("{\"seconds\":%.4f,\"connections\":%d,", seconds, driver->user_count);
    printf("\"operations\":%zu,\"failed\":%llu,", operations, (unsigned long long)driver->failed);
    printf("\"per_second\":%.2f,", seconds > 0 ? (double)operations / seconds : 0);
    printf("\"reconnections\":%llu,", (unsigned long long)driver->reconnections);
    printf("\"driver_cpu_seconds\":%.4f,", after.driver - before.driver);
    printf("\"server_cpu_seconds\":%.4f,", after.server - before.server);
    printf("\"machine_cpu_seconds\":%.4f,", after.machine - before.machine);
    printf("\"server_rss_kib\":%ld,\"latency_us\":", server ? resident_kib(server) : 0);
    samples_print(&driver->latency, stdout);
    printf(",\"steps\":{");
    for (int i = 0; i < driver->scenario.step_count; i++) {
        if (i) putchar(',');
        print_step(&driver->scenario.steps[i]);
    }
    printf("}}\n");
}

int main(int count, char **arguments) {
    Options options = parse_options(count, arguments);
    static Driver driver;
    driver.host = options.address;
    driver.address = parse_address(options.address);
    driver.user_count = options.connections;
    driver.iterations_per_user = options.iterations;
    scenario_load(&driver.scenario, options.scenario_file);
    driver.users = make_users(options.connections, options.users_file);

    double began = now() + options.warm_up, end = began + options.seconds;
    driver.measuring = options.warm_up == 0;
    Usage before = usage_now(options.server_process);
    driver_start(&driver);
    while (driver.running_users > 0 && now() < end) {
        if (!driver.measuring && now() >= began) {
            driver.measuring = true;
            began = now();
            before = usage_now(options.server_process);
            putchar('\n');
            fflush(stdout);
        }
        driver_turn(&driver, driver.measuring ? end : began);
    }
    // What is in flight when the time is over is not counted, as what was in flight when it began is.
    double seconds = driver.measuring ? now() - began : 0;
    print_report(&driver, seconds, before, usage_now(options.server_process), options.server_process);
    if (options.users_out_file) store_users(&driver, options.users_out_file);
    return driver.latency.count ? 0 : 1;
}
