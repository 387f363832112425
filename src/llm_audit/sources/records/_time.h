/* Points in time as most logs write them; times.py reads any other. */
#ifndef LLM_AUDIT_TIME_H
#define LLM_AUDIT_TIME_H
#include <Python.h>
#include <stdint.h>

#include "../formats/plain/flat/_times.h"

#define NANOSECOND_DIGITS 19

/* Microseconds of a time in UTC as most logs write it, or of its nanoseconds since 1970; None for any other. */
static PyObject *plain_time(PyObject *Py_UNUSED(module), PyObject *value) {
    int64_t found = 0;
    if (PyUnicode_CheckExact(value) && PyUnicode_IS_ASCII(value)) {
        const char *at = PyUnicode_DATA(value);
        Py_ssize_t length = PyUnicode_GET_LENGTH(value);
        uint64_t nanoseconds = 0;
        if (length == NANOSECOND_DIGITS) {
            for (; length && *at >= '0' && *at <= '9'; at++, length--) nanoseconds = 10 * nanoseconds + (uint64_t)(*at - '0');
            if (!length) found = (int64_t)(nanoseconds / 1000);
        } else read_iso(at, length, &found);
    }
    if (found < EARLIEST_US || found >= LATEST_US) Py_RETURN_NONE;
    return PyLong_FromLongLong(found);
}

#endif
