"""Detection of formats: of records, of files, and of what a place in an object store holds."""

from llm_audit.sources.detect.files import DetectedFormat, explain
from llm_audit.sources.detect.places import Place, survey
from llm_audit.sources.detect.records import Detection, detect, detect_source

__all__ = ["DetectedFormat", "Detection", "Place", "detect", "detect_source", "explain", "survey"]
