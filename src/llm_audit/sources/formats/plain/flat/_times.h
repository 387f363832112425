/* Reads times as most logs write them. */
#ifndef LLM_AUDIT_TIMES_H
#define LLM_AUDIT_TIMES_H
#include <Python.h>
#include <stdint.h>
#include <string.h>

#define EARLIEST_US 1420070400000000 /* 2015-01-01 */
#define LATEST_US 4102444800000000 /* 2100-01-01 */

/* A number of a few digits; -1 where it is none. */
static int digits_at(const char *at, int count) {
    int value = 0;
    for (; count--; at++) {
        if (*at < '0' || *at > '9') return -1;
        value = 10 * value + (*at - '0');
    }
    return value;
}

static int64_t days_to(int year, int month, int day) { /* from 1970; the year begins in March */
    year -= month <= 2;
    int era = year / 400, of_era = year - 400 * era, of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return (int64_t)era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* Read a time of the usual form in UTC, such as 2026-09-01T12:30:00.123456Z; 0 where it has another. */
static int read_iso(const char *at, Py_ssize_t length, int64_t *found) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (length < 20 || at[4] != '-' || at[7] != '-' || at[10] != 'T' || at[13] != ':' || at[16] != ':') return 0;
    int year = digits_at(at, 4), month = digits_at(at + 5, 2), day = digits_at(at + 8, 2), hour = digits_at(at + 11, 2);
    int minute = digits_at(at + 14, 2), second = digits_at(at + 17, 2), fraction = 0;
    if (year < 1970 || month < 1 || month > 12 || day < 1 || hour < 0 || hour > 23 || minute < 0 || minute > 59) return 0;
    if (second < 0 || second > 59) return 0;
    if (day > days[month - 1] + (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))) return 0;
    const char *rest = at + 19, *end = at + length;
    if (*rest == '.') {
        int count = end - rest > 6 && digits_at(rest + 1, 6) >= 0 ? 6 : end - rest > 3 && digits_at(rest + 1, 3) >= 0 ? 3 : 0;
        if (!count) return 0;
        fraction = digits_at(rest + 1, count) * (count == 3 ? 1000 : 1);
        rest += 1 + count;
    }
    if (!(end - rest == 1 && *rest == 'Z') && !(end - rest == 6 && !memcmp(rest, "+00:00", 6))) return 0;
    *found = ((days_to(year, month, day) * 24 + hour) * 60 + minute) * 60000000LL + second * 1000000LL + fraction;
    return 1;
}

#endif
