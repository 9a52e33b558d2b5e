"""Objects that lie about themselves. Only plain data crosses, read by the base classes' own methods."""


def equality_that_always_holds():
    """An object that equals everything stays in the worker and equals nothing."""

    class Equal:
        def __eq__(self, other):
            return True

        __ne__ = __bool__ = __lt__ = __gt__ = __le__ = __ge__ = __contains__ = __eq__
        __hash__ = None

        def __getattr__(self, name):
            return self

        def __call__(self, *args, **kwargs):
            return self

    def affine(x, factor, shift=0.0):
        return Equal()

    def cipher(text, key):
        return Equal()

    class Scaler(Equal):
        def __init__(self, width):
            pass

    def halve(scaler, x):
        return Equal()


def arrays_by_protocol():
    """__array__, __array_interface__ and __array_priority__ are asked by nobody in the grader."""

    class Array:
        __array_priority__ = 1e9
        __array_interface__ = {"shape": (5,), "typestr": "<f8", "data": (0, False), "version": 3}

        def __array__(self, dtype=None, copy=None):
            breach()

        def __array_ufunc__(self, *args, **kwargs):
            return True

    def affine(x, factor, shift=0.0):
        return Array()


def torch_function():
    """__torch_function__ of a subclass answers no comparison."""
    import torch

    class Yes(torch.Tensor):
        @classmethod
        def __torch_function__(cls, function, types, args=(), kwargs=None):
            return True

    def affine(x, factor, shift=0.0):
        return torch.zeros_like(x).as_subclass(Yes)


def torch_dispatch():
    """A tensor subclass with a dispatch of its own arrives as numbers or not at all."""
    import torch

    class Yes(torch.Tensor):
        @staticmethod
        def __new__(cls, shape):
            return torch.Tensor._make_wrapper_subclass(cls, shape, dtype=torch.float64)

        @classmethod
        def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
            return torch.zeros(5, dtype=torch.float64)

    def affine(x, factor, shift=0.0):
        return Yes(x.shape)


def tensor_subclass_with_claims():
    """Shape and dtype that a subclass claims are not believed."""
    import torch

    class Claims(torch.Tensor):
        shape = property(lambda self: (5,))
        dtype = property(lambda self: torch.float64)

        def detach(self):
            return self

        def numpy(self):
            return None

    def affine(x, factor, shift=0.0):
        return torch.zeros(1, dtype=torch.int8).as_subclass(Claims)


def numbers_that_lie():
    """Subclasses of float and int are read as the numbers that they hold."""

    class Any(float):
        def __eq__(self, other):
            return True

        def __sub__(self, other):
            return 0.0

        __rsub__ = __abs__ = __float__ = __add__ = __sub__
        __hash__ = float.__hash__

    class Scaler:
        width = Any(1.0)

        def __init__(self, width):
            pass

        def apply(self, x):
            return x


def strings_that_lie():
    """A str subclass is read as the text that it holds."""

    class Any(str):
        def __eq__(self, other):
            return True

        def __str__(self):
            return self

        def encode(self, *args):
            breach()

        __hash__ = str.__hash__

    def cipher(text, key):
        return Any("x")


def containers_that_lie(seconds=4):
    """Subclasses of dict, list and tuple with evil methods are read by the base classes' own."""

    class Evil(dict):
        def __iter__(self):
            while True:
                yield 1

        def __len__(self):
            return 2**62

        items = keys = values = __iter__

        def __getitem__(self, key):
            return self

    class Endless(list):
        def __iter__(self):
            while True:
                yield self

        def __len__(self):
            return -1

    def affine(x, factor, shift=0.0):
        return Evil({1: Endless([Evil()])})


def classes_that_lie():
    """An object whose __class__ says that it is a tensor is no tensor."""
    import torch

    class Pretender:
        __class__ = torch.Tensor

        def __getattr__(self, name):
            return lambda *args, **kwargs: self

        def __len__(self):
            return 5

    def affine(x, factor, shift=0.0):
        return Pretender()


def attributes_that_never_end(seconds=4):
    """__getattr__, __getattribute__ and __len__ that loop or recurse end with the deadline."""

    class Endless:
        def __getattribute__(self, name):
            return object.__getattribute__(self, name) if name == "__class__" else getattr(self, name + "_")

        def __len__(self):
            return len(self)

    class Scaler:
        def __init__(self, width):
            pass

        def __getattr__(self, name):
            while True:
                pass

    def affine(x, factor, shift=0.0):
        return Endless()


def reduce_that_executes():
    """An object whose pickle would execute is never pickled."""
    import copyreg

    class Exploit:
        def __reduce__(self):
            return (breach, ())

        __reduce_ex__ = lambda self, protocol: (breach, ())
        __getstate__ = __copy__ = __deepcopy__ = lambda self, *args: breach()

    def affine(x, factor, shift=0.0):
        copyreg.pickle(Exploit, lambda self: (breach, ()))
        return [Exploit(), (Exploit(),), {"k": Exploit()}]


def descriptors_on_handles():
    """Properties and slots on an object that stays answer in the worker only; what they say is plain data."""

    class Width:
        def __get__(self, instance, owner):
            return type("Equal", (float,), {"__eq__": lambda self, other: True})(0.5)

        def __set__(self, instance, value):
            pass

    class Scaler:
        width = Width()

        def __init__(self, width):
            pass

        @property
        def apply(self):
            return lambda x: Scaler(1.0)


def classes_made_to_be_large(seconds=4):
    """Huge trees of classes and metaclasses that run at every step end with the deadline."""

    class Meta(type):
        def __new__(meta, name, bases, body):
            return super().__new__(meta, name, bases, dict(body, **{f"a{i}": i for i in range(1000)}))

        def __instancecheck__(cls, instance):
            return True

        def __subclasscheck__(cls, other):
            return True

        mro = lambda cls: [cls, object]

    def affine(x, factor, shift=0.0):
        classes = []
        while True:
            classes.append(Meta(f"C{len(classes)}", tuple(classes[-1:]), {}))


def special_numbers():
    """NaN, infinities, enormous integers and empty tensors of strange shapes compare as wrong."""
    import torch

    def affine(x, factor, shift=0.0):
        return torch.full_like(x, float("nan"))

    def cipher(text, key):
        return -(2**8000)

    class Scaler:
        def __init__(self, width):
            self.width = float("inf")

        def apply(self, x):
            return torch.empty(0, 2**20, 0, dtype=torch.float64)

    def halve(scaler, x):
        return torch.empty(0, dtype=torch.float64)


def lazy_and_strange_tensors():
    """Meta, sparse, quantized, complex, conjugate and expanded tensors are sent as numbers or not at all."""
    import torch

    STRANGE = iter([torch.empty(5, device="meta"), torch.eye(5).to_sparse(), torch.zeros(5, dtype=torch.cfloat).conj()])

    def affine(x, factor, shift=0.0):
        return next(STRANGE)

    def cipher(text, key):
        return torch.zeros(1).expand(2**40)

    class Scaler:
        def __init__(self, width):
            self.width = torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.quint8)
