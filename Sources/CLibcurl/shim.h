#pragma once
#include <curl/curl.h>

/// `curl_easy_setopt`, `curl_multi_setopt` and `curl_easy_getinfo` are variadic, which Swift cannot call: one shim per argument type.
static inline CURLcode CLibcurl_setopt_long(CURL *easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode CLibcurl_setopt_pointer(CURL *easy, CURLoption option, const void *value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLMcode CLibcurl_multi_setopt_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}
typedef size_t (*CLibcurl_data_callback)(char *bytes, size_t size, size_t count, void *context);
static inline CURLcode CLibcurl_setopt_callback(CURL *easy, CURLoption option, CLibcurl_data_callback value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode CLibcurl_getinfo_long(CURL *easy, CURLINFO info, long *value) {
    return curl_easy_getinfo(easy, info, value);
}
static inline CURLcode CLibcurl_getinfo_offset(CURL *easy, CURLINFO info, curl_off_t *value) {
    return curl_easy_getinfo(easy, info, value);
}
static inline CURLcode CLibcurl_setopt_offset(CURL *easy, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(easy, option, value);
}
