"""Texts of shape, dtype, device, name and argument errors that torch, numpy and Python write themselves.

`{n}` stands for a number, `{shape}` for sizes, `{dtype}` for a dtype, `{letter}` for one of einsum's, `{name}` for a
name of the student's notebook or of torch and numpy. A text that starts like none of these is withheld from feedback.
"""
# ruff: noqa: E501 (the texts are as the libraries write them)

TORCH = """
mat1 and mat2 shapes cannot be multiplied ({shape} and {shape})
size mismatch, got input ({n}), mat ({shape}), vec ({n})
inconsistent tensor size, expected tensor {shape} and src {shape} to have the same number of elements, but got {n} and {n} elements respectively
The size of tensor a ({n}) must match the size of tensor b ({n}) at non-singleton dimension {n}
The expanded size of the tensor ({n}) must match the existing size ({n}) at non-singleton dimension {n}.
The shape of the mask {shape} at index {n} does not match the shape of the indexed tensor {shape} at index {n}
shape mismatch: indexing tensors could not be broadcast together with shapes {shape}, {shape}
shape mismatch: value tensor of shape {shape} cannot be broadcast to indexing result of shape {shape}
output with shape {shape} doesn't match the broadcast shape {shape}
shape '{shape}' is invalid for input of size {n}
Shape mismatch: objects cannot be broadcast to a single shape
Sizes of tensors must match except in dimension {n}. Expected size {n} but got size {n} for tensor number {n} in the list.
stack expects each tensor to be equal size, but got {shape} at entry {n} and {shape} at entry {n}
Tensors must have same number of dimensions: got {n} and {n}
Expected size for first two dimensions of batch2 tensor to be: {shape} but got: {shape}.
batch1 must be a 3D tensor
self must be a matrix
both arguments to matmul need to be at least 1D, but they are {n}D and {n}D
{name}: The input tensor must be at least 2 dimensions
{name}: The input tensor {name} must have at least 2 dimensions.
{name}: The factorization could not be completed because the input is not positive-definite (the leading minor of order {n} is not positive-definite).
{name}: The diagonal element {n} is zero, the inversion could not be completed because the input matrix is singular.
{name}: The solver failed because the input matrix is singular.
{name}: Expected {n}-D argument {name}, but got {n}-D
{name}(): Supports 1D or 2D tensors. Got {n}D
Incompatible matrix sizes for cholesky_solve: each A matrix is {n} by {n} but each b matrix is {n} by {n}
view size is not compatible with input tensor's size and stride (at least one dimension spans across two contiguous subspaces). Use .reshape(...) instead.
Index tensor must have the same number of dimensions as input tensor
Expected input batch_size ({n}) to match target batch_size ({n}).
Expected {n}D (unbatched) or {n}D (batched) input to {name}, but got input of size: {shape}
Given groups={n}, weight of size {shape}, expected input{shape} to have {n} channels, but got {n} channels instead
{name}: At least one of 'min' or 'max' must not be None
{name}: {name} must be batches of square matrices, but they are {n} by {n} matrices
{name}: Incompatible shapes of A and B for the equation AX = B ({shape} and {shape})
1D tensors expected, but got {n}D and {n}D tensors
vector and tensor must have same size
Dimension out of range (expected to be in range of {shape}, but got {n})
dim {n} out of bounds
index {n} is out of bounds for dimension {n} with size {n}
index out of range in self
too many indices for tensor of dimension {n}
dimension specified as {n} but tensor has no dimensions
invalid index of a 0-dim tensor.
slice() cannot be applied to a 0-dim tensor.
iteration over a 0-d tensor
len() of a 0-d tensor
permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired ordering of dimensions i.e. input.dim() = {n} is not equal to len(dims) = {n}
only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got {name})
The tensor has a non-zero number of elements, but its data is not allocated yet.
einsum(): subscript {letter} has size {n} for operand {n} which does not broadcast with previously seen size {n}
einsum(): the number of subscripts in the equation ({n}) does not match the number of dimensions ({n}) for operand {n} and no ellipsis was given
einsum(): output subscript {letter} does not appear in the equation for any input operand
einsum(): fewer operands were provided than specified in the equation
einsum(): more operands were provided than specified in the equation
a Tensor with {n} elements cannot be converted to Scalar
only one element tensors can be converted to Python scalars
only integer tensors of a single element can be converted to an index
Boolean value of Tensor with more than one value is ambiguous
expected m1 and m2 to have the same dtype, but got: {dtype} != {dtype}
expected mat1 and mat2 to have the same dtype, but got: {dtype} != {dtype}
mat1 and mat2 must have the same dtype, but got {dtype} and {dtype}
Input type ({dtype}) and bias type ({dtype}) should be the same
dot : expected both vectors to have same dtype, but found {dtype} and {dtype}
vdot : expected both vectors to have same dtype, but found {dtype} and {dtype}
where expected condition to be a boolean tensor, but got a tensor with dtype {dtype}
one_hot is only applicable to index tensor of type LongTensor.
expected scalar type {dtype} but found {dtype}
Expected tensor for argument #{n} '{name}' to have scalar type {dtype}; but got
result type {dtype} can't be cast to the desired output type {dtype}
Index put requires the source and destination dtypes match, got {dtype} for the destination and {dtype} for the source.
tensors used as indices must be long, int, byte or bool tensors
{name}(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: {dtype}
{name}: Expected a floating point or complex tensor as input. Got {dtype}
"{name}" not implemented for '{dtype}'
Tensor on device {device} is not on the expected device {device}!
Expected all tensors to be on the same device, but found at least two devices, {device} and {device}
Expected all tensors to be on the same device, but got {name} is on {device}, different from other tensors on {device}
can't convert {device} device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory first.
Attempting to deserialize object on a CUDA device but torch.cuda.is_available() is False.
Torch not compiled with CUDA enabled
Found no NVIDIA driver on your system.
element {n} of tensors does not require grad and does not have a grad_fn
Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.
grad can be implicitly created only for scalar outputs
a leaf Variable that requires grad is being used in an in-place operation.
a view of a leaf Variable that requires grad is being used in an in-place operation.
Trying to backward through the graph a second time
one of the variables needed for gradient computation has been modified by an inplace operation
Expected more than 1 value per channel when training
One of the differentiated Tensors does not require grad
One of the differentiated Tensors appears to not have been used in the graph.
{name}(): argument '{name}' (position {n}) must be {name}, not {name}
{name}(): argument '{name}' (position {n}) must be tuple of {name}, not {name}
{name}(): argument '{name}' must be {name}, not {name}
{name}() received an invalid combination of arguments
{name}() missing {n} required positional arguments: "{name}"
expected Tensor as element {n} in argument {n}, but got {name}
can't assign a {name} to a {name}
module '{name}' has no attribute '{name}'
cannot assign module before Module.__init__() call
"""

NUMPY = """
operands could not be broadcast together with shapes {shape} {shape}
operands could not be broadcast together with remapped shapes
shapes {shape} and {shape} not aligned: {n} (dim {n}) != {n} (dim {n})
matmul: Input operand {n} has a mismatch in its core dimension {n}, with gufunc signature (n?,k),(k,m?)->(n?,m?) (size {n} is different from {n})
matmul: Input operand {n} does not have enough dimensions
could not broadcast input array from shape {shape} into shape {shape}
cannot reshape array of size {n} into shape {shape}
index {n} is out of bounds for axis {n} with size {n}
axis {n} is out of bounds for array of dimension {n}
too many indices for array: array is {n}-dimensional, but {n} were indexed
all the input arrays must have same number of dimensions
all the input array dimensions except for the concatenation axis must match exactly
all input arrays must have the same shape
boolean index did not match indexed array along axis {n}; size of axis is {n} but size of corresponding boolean axis is {n}
setting an array element with a sequence.
only length-1 arrays can be converted to Python scalars
only 0-dimensional arrays can be converted to Python scalars
Last 2 dimensions of the array must be square
{n}-dimensional array given. Array must be at least two-dimensional
The truth value of an array with more than one element is ambiguous. Use a.any() or a.all()
Singular matrix
Cannot cast ufunc '{name}' output from dtype('{dtype}') to dtype('{dtype}') with casting rule 'same_kind'
ufunc '{name}' not supported for the input types
arrays used as indices must be of integer (or boolean) type
"""

PYTHON = """
name '{name}' is not defined
cannot access local variable '{name}' where it is not associated with a value
cannot access free variable '{name}' where it is not associated with a value in enclosing scope
{name}() missing {n} required positional argument: '{name}'
{name}() missing {n} required positional arguments: '{name}' and '{name}'
{name}() missing {n} required positional arguments: '{name}', '{name}', and '{name}'
{name}() missing {n} required keyword-only argument: '{name}'
{name}() takes {n} positional argument but {n} were given
{name}() takes {n} positional arguments but {n} were given
{name}() takes from {n} to {n} positional arguments but {n} were given
{name}() takes no arguments
{name}() got an unexpected keyword argument '{name}'
{name}() got multiple values for argument '{name}'
'{name}' object has no attribute '{name}'
type object '{name}' has no attribute '{name}'
module '{name}' has no attribute '{name}'
unsupported operand type(s) for {operator}: '{name}' and '{name}'
'{operator}' not supported between instances of '{name}' and '{name}'
bad operand type for unary {operator}: '{name}'
'{name}' object is not callable
'{name}' object is not iterable
'{name}' object is not subscriptable
'{name}' object is not an iterator
'{name}' object does not support item assignment
'{name}' object does not support item deletion
'{name}' object cannot be interpreted as an integer
cannot unpack non-iterable {name} object
object of type '{name}' has no len()
not enough values to unpack (expected {n}, got {n})
not enough values to unpack (expected at least {n}, got {n})
too many values to unpack (expected {n})
too many values to unpack (expected {n}, got {n})
can only concatenate {name} (not "{name}") to {name}
must be real number, not {name}
list index out of range
tuple index out of range
string index out of range
list indices must be integers or slices, not {name}
tuple indices must be integers or slices, not {name}
slice indices must be integers or None or have an __index__ method
pop from empty list
division by zero
float division by zero
integer modulo by zero
invalid literal for int() with base {n}
could not convert string to float
{name}() arg is an empty sequence
{name}() iterable argument is empty
zip() argument {n} is longer than argument {n}
zip() argument {n} is shorter than argument {n}
unhashable type: '{name}'
bad operand type for {name}(): '{name}'
isinstance() arg 2 must be a type, a tuple of types, or a union
math domain error
expected a nonnegative input
math range error
maximum recursion depth exceeded
generator raised StopIteration
dictionary changed size during iteration
No module named '{name}'
cannot import name '{name}' from '{name}'
super().__init__() takes {n} positional argument but {n} were given
Can't instantiate abstract class {name} without an implementation for abstract method '{name}'
"""

TEMPLATES = tuple(line for block in (TORCH, NUMPY, PYTHON) for line in block.strip().splitlines())

_NAMES = """
NoneType None builtin_function_or_method method function module ellipsis self other <lambda> <locals> tensors ints floats
Tensors src mat mat1 mat2 vec index weight target A B tuple of
addmm_impl_cpu_ addmv_impl_cpu_ dot_cpu baddbmm_with_gemm log_softmax_lastdim_kernel_impl softmax_lastdim_kernel_impl
exp_vml_cpu log_vml_cpu sqrt_vml_cpu normal_kernel_cpu histogram_cpu mse_cpu
"""

# What such texts name, besides the names of the student's own notebook and of the libraries.
NAMES = frozenset(_NAMES.split())
