"""Artifacts that are no tensors. They are looked at in the grader and loaded in the worker; nothing is unpickled."""


def poisoned_pickle(artifact=b"\x80\x04\x8c\x02os\x8c\x05_exit\x93KM\x85R."):
    """A pickle that would exit with 77 is named as one and not loaded."""


def numpy_file(artifact=b"\x93NUMPY\x01\x00>\x00{'descr': '|O', 'fortran_order': False, 'shape': (1,)}   \n"):
    """A NumPy file of objects under an artifact's name is not loaded."""


def torch_file(artifact=b"PK\x03\x04\x14\x00\x00\x00\x00\x00archive/data.pkl"):
    """A file of torch.save under an artifact's name is not loaded."""


def header_without_tensors(artifact=b"\x02\x00\x00\x00\x00\x00\x00\x00{}"):
    """An artifact without tensors is refused with a sentence."""


def tensor_without_elements(artifact=b'6\0\0\0\0\0\0\0{"w":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}'):
    """An empty tensor, of which everything is true, is not the right one."""


def name_that_writes_to_the_terminal(
    artifact=b'D\0\0\0\0\0\0\0{"\\u001b[2J\\ud800":{"dtype":"F99","shape":[0],"data_offsets":[0,0]}}',
):
    """A tensor's name that moves the cursor and is no text in any encoding breaks neither the table nor the file."""


def loader_patched():
    """The safetensors loader, patched, loads what the student says: nothing is gained without the right weights."""
    import sys

    def affine(x, factor, shift=0.0):
        sys.modules["safetensors.torch"].load = lambda data: {"w": x}
        return x
