#ifndef CLIBCURL_SHIM_H
#define CLIBCURL_SHIM_H

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

// Swift cannot call functions with a variable number of arguments: these are curl_easy_setopt and curl_easy_getinfo,
// one for each kind of value.

static inline CURLcode CLibCurlSetText(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode CLibCurlSetNumber(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode CLibCurlSetPointer(CURL *handle, CURLoption option, void *value) {
    return curl_easy_setopt(handle, option, value);
}

typedef size_t (*CLibCurlTransfer)(char *bytes, size_t size, size_t count, void *context);

static inline CURLcode CLibCurlSetTransfer(CURL *handle, CURLoption option, CLibCurlTransfer value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode CLibCurlGetNumber(CURL *handle, CURLINFO info, long *value) {
    return curl_easy_getinfo(handle, info, value);
}

#endif
