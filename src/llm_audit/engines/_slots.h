/* Reads fields of structs where they lie, as their member descriptors say. */
#ifndef LLM_AUDIT_SLOTS_H
#define LLM_AUDIT_SLOTS_H
#include <Python.h>
#include <structmember.h>

/* Find where a field lies in the objects of a type; 0 and an error where it is no slot. */
static int find_slot(PyObject *type, const char *name, Py_ssize_t *at) {
    PyObject *found = PyType_Check(type) ? PyObject_GetAttrString(type, name) : NULL;
    PyMemberDef *member = found && Py_IS_TYPE(found, &PyMemberDescr_Type) ? ((PyMemberDescrObject *)found)->d_member : NULL;
    int is_slot = member && member->type == T_OBJECT_EX;
    if (is_slot) *at = member->offset;
    else if (!PyErr_Occurred()) PyErr_Format(PyExc_TypeError, "%s is no field of a struct", name);
    Py_XDECREF(found);
    return is_slot;
}

/* The value of a field, borrowed; NULL where it was never set. */
static PyObject *slot(PyObject *object, Py_ssize_t at) { return *(PyObject **)((char *)object + at); }

#endif
