#define _GNU_SOURCE
#include "statistics.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

void samples_add(Samples *samples, double seconds) {
    if (samples->count == samples->capacity) {
        samples->capacity = samples->capacity ? samples->capacity * 2 : 4096;
        samples->values = realloc(samples->values, samples->capacity * sizeof *samples->values);
        if (!samples->values) fail("out of memory");
    }
    samples->values[samples->count++] = (uint32_t)(seconds * 1e6);
    samples->sum += seconds * 1e6;
}

static int ascending(const void *left, const void *right) {
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

static uint32_t percentile(const Samples *samples, double share) {
    return samples->values[(size_t)((double)(samples->count - 1) * share + 0.5)];
}

void samples_print(Samples *samples, FILE *out) {
    if (!samples->count) {
        fputs("{\"count\":0}", out);
        return;
    }
    qsort(samples->values, samples->count, sizeof *samples->values, ascending);
    fprintf(
        out, "{\"count\":%zu,\"mean\":%.1f,\"p50\":%u,\"p90\":%u,\"p99\":%u,\"max\":%u}", samples->count,
        samples->sum / (double)samples->count, percentile(samples, 0.50), percentile(samples, 0.90),
        percentile(samples, 0.99), samples->values[samples->count - 1]);
}

static double timeval_seconds(struct timeval time) {
    return (double)time.tv_sec + (double)time.tv_usec * 1e-6;
}

/// utime and stime of /proc/PID/stat; the fields count from the closing parenthesis, as a name may hold spaces.
static double process_seconds(int process) {
    char path[64], line[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", process);
    FILE *stream = fopen(path, "r");
    if (!stream) fail("the server (process %d) is gone", process);
    size_t length = fread(line, 1, sizeof line - 1, stream);
    fclose(stream);
    line[length] = 0;
    unsigned long user = 0, system = 0;
    const char *rest = strrchr(line, ')');
    if (!rest || sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2) {
        fail("%s is not understood", path);
    }
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

/// Everything but idle and waiting, over all cores.
static double machine_seconds(void) {
    unsigned long user, nice, system, idle, wait, interrupt, soft, steal;
    FILE *stream = fopen("/proc/stat", "r");
    if (!stream) return 0;
    int fields = fscanf(
        stream, "cpu %lu %lu %lu %lu %lu %lu %lu %lu", &user, &nice, &system, &idle, &wait, &interrupt, &soft, &steal);
    fclose(stream);
    if (fields != 8) return 0;
    return (double)(user + nice + system + interrupt + soft + steal) / (double)sysconf(_SC_CLK_TCK);
}

Usage usage_now(int server) {
    struct rusage own;
    getrusage(RUSAGE_SELF, &own);
    return (Usage){
        .driver = timeval_seconds(own.ru_utime) + timeval_seconds(own.ru_stime),
        .server = server ? process_seconds(server) : 0,
        .machine = machine_seconds(),
    };
}

long resident_kib(int process) {
    char path[64], line[256];
    long kib = 0;
    snprintf(path, sizeof path, "/proc/%d/status", process);
    FILE *stream = fopen(path, "r");
    if (!stream) return 0;
    while (fgets(line, sizeof line, stream)) {
        if (sscanf(line, "VmRSS: %ld", &kib) == 1) break;
    }
    fclose(stream);
    return kib;
}
