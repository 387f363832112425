"""Stages of an audit by partition: tasks whose results are files, added up in a tree."""
