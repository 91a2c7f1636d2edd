#pragma once
#include <curl/curl.h>

/* curl_easy_setopt is variadic, which Swift cannot call: one typed door per kind of argument. */
static inline CURLcode kith_curl_set_text(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode kith_curl_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode kith_curl_set_pointer(CURL *handle, CURLoption option, void *value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode kith_curl_set_write(CURL *handle, size_t (*body)(char *, size_t, size_t, void *)) {
    return curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, body);
}
static inline CURLcode kith_curl_set_read(CURL *handle, size_t (*body)(char *, size_t, size_t, void *)) {
    return curl_easy_setopt(handle, CURLOPT_READFUNCTION, body);
}
static inline CURLcode kith_curl_set_header(CURL *handle, size_t (*body)(char *, size_t, size_t, void *)) {
    return curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, body);
}
static inline CURLcode kith_curl_set_open_socket(CURL *handle, curl_opensocket_callback body) {
    return curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, body);
}
static inline CURLcode kith_curl_get_long(CURL *handle, CURLINFO info, long *value) {
    return curl_easy_getinfo(handle, info, value);
}
