// limits: what this machine can do at most, measured with the libraries that Portico uses.
//
//     limits [-t SECONDS] [-d FOLDER] [signature] [commit] [password]
//
// signature  RS256 signatures with a 2048-bit key (OpenSSL) over 600 bytes, about the size of an access token
// commit     one-row commits to SQLite in WAL mode with synchronous=FULL, in a database file in FOLDER
// password   Argon2id hashes with OWASP's parameters: 19 MiB, 2 iterations, 1 lane
//
// Without a name all three are measured, one after another on one thread, for SECONDS each. Every result is one line of
// JSON: the mean CPU and wall time of one operation in microseconds, and operations a second on one core.
#define _GNU_SOURCE
#include <argon2.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <sqlite3.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct {
    double seconds;
    const char *folder;
} Options;

_Noreturn static void fail(const char *what, const char *why) {
    fprintf(stderr, "limits: %s: %s\n", what, why);
    exit(2);
}

static double clock_seconds(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/// Repeats `operation` for the given time, once unmeasured to warm up, and prints what one took.
static void measure(const char *name, double seconds, void (*operation)(void *), void *context) {
    operation(context);
    double wall_began = clock_seconds(CLOCK_MONOTONIC), cpu_began = clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
    double wall;
    long count = 0;
    do {
        operation(context);
        count++;
        wall = clock_seconds(CLOCK_MONOTONIC) - wall_began;
    } while (wall < seconds);
    double cpu = clock_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_began;
    printf("{\"limit\":\"%s\",\"operations\":%ld,", name, count);
    printf("\"cpu_us\":%.2f,\"wall_us\":%.2f,", cpu / (double)count * 1e6, wall / (double)count * 1e6);
    printf("\"per_second\":%.1f,\"per_cpu_second\":%.1f}\n", (double)count / wall, (double)count / cpu);
    fflush(stdout);
}

static void sign(void *key) {
    unsigned char message[600], signature[256];
    size_t length = sizeof signature;
    memset(message, 'x', sizeof message);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) != 1 ||
        EVP_DigestSign(context, signature, &length, message, sizeof message) != 1) {
        fail("signature", "OpenSSL refuses");
    }
    EVP_MD_CTX_free(context);
}

static void measure_signature(Options options) {
    EVP_PKEY *key = EVP_RSA_gen(2048);
    if (!key) fail("signature", "no key");
    measure("signature", options.seconds, sign, key);
    EVP_PKEY_free(key);
}

static void commit(void *insert) {
    unsigned char key[32];
    sqlite3_randomness(sizeof key, key);
    sqlite3_bind_blob(insert, 1, key, sizeof key, SQLITE_STATIC);
    if (sqlite3_step(insert) != SQLITE_DONE) fail("commit", sqlite3_errmsg(sqlite3_db_handle(insert)));
    sqlite3_reset(insert);
}

static void remove_database(const char *file) {
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    char path[4096];
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s%s", file, suffixes[i]);
        unlink(path);
    }
}

static void measure_commit(Options options) {
    static const char schema[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                                 "CREATE TABLE token (hash BLOB PRIMARY KEY, payload TEXT NOT NULL) WITHOUT ROWID;";
    char file[4000];
    snprintf(file, sizeof file, "%s/limits-%d.sqlite", options.folder, (int)getpid());
    remove_database(file);
    sqlite3 *database;
    sqlite3_stmt *insert;
    if (sqlite3_open(file, &database) || sqlite3_exec(database, schema, NULL, NULL, NULL) ||
        sqlite3_prepare_v2(database, "INSERT INTO token VALUES (?, hex(zeroblob(150)))", -1, &insert, NULL)) {
        fail(file, sqlite3_errmsg(database));
    }
    measure("commit", options.seconds, commit, insert);
    sqlite3_finalize(insert);
    sqlite3_close(database);
    remove_database(file);
}

static void hash_password(void *unused) {
    (void)unused;
    unsigned char hash[32];
    int status = argon2id_hash_raw(2, 19456, 1, "correct horse", 13, "0123456789abcdef", 16, hash, sizeof hash);
    if (status != ARGON2_OK) fail("password", argon2_error_message(status));
}

static void measure_password(Options options) {
    measure("password", options.seconds, hash_password, NULL);
}

int main(int count, char **arguments) {
    static const struct {
        const char *name;
        void (*measure)(Options);
    } limits[] = {{"signature", measure_signature}, {"commit", measure_commit}, {"password", measure_password}};
    Options options = {.seconds = 1, .folder = "."};
    for (int option; (option = getopt(count, arguments, "t:d:")) != -1;) {
        switch (option) {
        case 't': options.seconds = atof(optarg); break;
        case 'd': options.folder = optarg; break;
        default: fail("usage", "limits [-t SECONDS] [-d FOLDER] [signature] [commit] [password]");
        }
    }
    if (options.seconds <= 0 || options.seconds > 60) fail("-t", "between 0 and 60 seconds");
    for (int i = 0; i < 3; i++) {
        int wanted = optind == count;
        for (int j = optind; j < count; j++) wanted |= !strcmp(arguments[j], limits[i].name);
        if (wanted) limits[i].measure(options);
    }
    return 0;
}
