/* Finds the longest line of a text, the first of several. passages.py gives the same answer in Python. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

static PyObject *longest_line(PyObject *Py_UNUSED(module), PyObject *text) {
    if (!PyUnicode_Check(text)) {
        PyErr_SetString(PyExc_TypeError, "longest_line takes a text");
        return NULL;
    }
    Py_ssize_t end = PyUnicode_GET_LENGTH(text), best = 0, length = 0;
    for (Py_ssize_t start = 0, stop; end - start > length; start = stop + 1) {
        stop = PyUnicode_FindChar(text, '\n', start, end, 1);
        if (stop == -2) return NULL;
        if (stop < 0) stop = end;
        if (stop - start > length) best = start, length = stop - start;
    }
    return PyUnicode_Substring(text, best, best + length);
}

static PyMethodDef methods[] = {
    {"longest_line", longest_line, METH_O, "The longest line of a text."}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {
    .m_base = PyModuleDef_HEAD_INIT, .m_name = "_lines", .m_size = 0, .m_methods = methods};

PyMODINIT_FUNC PyInit__lines(void) { return PyModule_Create(&module); }
