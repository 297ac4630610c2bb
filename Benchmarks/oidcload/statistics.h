// Statistics: latencies with their percentiles, and what a process has used of the machine.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/// Durations in microseconds.
typedef struct {
    uint32_t *values;
    size_t count, capacity;
    double sum;
} Samples;

typedef struct {
    Samples latency; // of the responses that were as expected
    uint64_t failed, bytes;
    uint64_t statuses[600];
} StepStatistics;

/// CPU seconds, user and system, used so far.
typedef struct {
    double driver, server, machine;
} Usage;

/// Seconds of the monotonic clock.
double now(void);

void samples_add(Samples *samples, double seconds);

/// Writes {"count":…,"mean":…,"p50":…,"p90":…,"p99":…,"max":…} in microseconds; sorts the samples.
void samples_print(Samples *samples, FILE *out);

/// `server` is a process id, or 0 when it is not to be watched.
Usage usage_now(int server);

/// Resident memory of a process in KiB, 0 when it is gone.
long resident_kib(int process);
