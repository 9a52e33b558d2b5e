"""Every bound on what a submission may make us read, each with its reason.

The smallest Gradescope container has 0.75 GB of memory, and a submission is read by the process that also compares.
"""

MIB = 2**20

MAX_UPLOAD_BYTES = 200 * MIB
"""One uploaded file. Gradescope stops at 100 MB by default; a folder of figures and weights stays far below."""

MAX_NOTEBOOK_BYTES = 100 * MIB
"""One notebook with its outputs: 60 MB of animations do happen. Outputs are cut out before anything is decoded."""

MAX_ARTIFACT_BYTES = 64 * MIB
"""One safetensors file. The largest model of the course has 8 million float32 parameters, 32 MB."""

MAX_TOTAL_BYTES = 200 * MIB
"""All files of one submission that are held in memory together."""

MAX_FILES = 2000
"""Files in a folder or members of a zip: people zip their data folder, nobody zips 2000 files on purpose."""

MAX_ZIP_RATIO = 200
"""Unpacked over packed size of a member. Notebooks reach 20, repeated bytes 1000."""

MAX_ZIP_DEPTH = 2
"""A zip in a zip happens (an upload page that zips again); a third level is a bomb or a mistake."""

MAX_DEPTH = 100
"""Nesting of brackets in a notebook's JSON. Real ones reach 10; the JSON reader itself gives up near 1000."""

MAX_CELLS = 5000
"""Cells of one notebook."""

MAX_SOURCE_CHARS = 2_000_000
"""Source of all cells together; a whole solved problem set has 100,000 characters."""

MAX_SYNTAX_ERRORS = 20
"""Damaged statements of one cell that are cut out before the whole cell is given up."""

MAX_SAFETENSORS_HEADER = 1 * MIB
"""The JSON header of an artifact: 1 MB describes 10,000 tensors."""

MAX_TENSORS = 10_000
"""Tensors of one artifact."""
