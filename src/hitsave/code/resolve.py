"""Resolution: what a name, an attribute or a live object is.

Owns turning names and objects into targets, live namespaces first and sources where a module is
not loaded. Refuses to follow what a target itself depends on; that is the closure's.
"""

import builtins
import sys
from types import (
    BuiltinFunctionType,
    CodeType,
    FunctionType,
    MethodType,
    MethodWrapperType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any, NamedTuple

from hitsave.code.bytecode import code_digest
from hitsave.code.definition import (
    Binding,
    ClassDefinition,
    FunctionDefinition,
    StarImport,
)
from hitsave.code.names import Names
from hitsave.code.origin import same_class
from hitsave.code.project import Module, Project
from hitsave.code.source import file_of, locate
from hitsave.code.symbol import Symbol
from hitsave.digest import short
from hitsave.raw import class_name, is_a, is_made_module, namespace_of


class _Absent:
    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Any = _Absent()
"""Stands for a value that is not there, or not loaded."""

_NATIVE = (BuiltinFunctionType, MethodWrapperType, WrapperDescriptorType)
_METHODS = (MethodType, BuiltinFunctionType)
_NAMED = (FunctionType, BuiltinFunctionType)


class FunctionTarget(NamedTuple):
    """A function of the project. `live` is None where its module is not loaded."""

    module: Module
    definitions: tuple[FunctionDefinition, ...]
    live: Any  # a FunctionType, which type checkers would take for a method here


class CodeTarget(NamedTuple):
    """A live function without a source definition: made by `exec`, or in a shell."""

    live: Any  # a FunctionType, which type checkers would take for a method here


class ClassTarget(NamedTuple):
    """A class of the project; `definition` is None where it was made without a statement.

    `others` are the other definitions that it may come from, where its module is not loaded.
    """

    module: Module
    name: str
    definition: ClassDefinition | None
    live: type | None
    others: tuple[ClassDefinition, ...] = ()

    @property
    def definitions(self) -> tuple[ClassDefinition, ...]:
        """Every definition that it may come from, in order."""
        return (*self.others, self.definition) if self.definition is not None else ()


class ModuleTarget(NamedTuple):
    """A module of the project."""

    module: Module


class ExternalTarget(NamedTuple):
    """Something outside the project, by the module it comes from."""

    module: str
    name: str


class ValueTarget(NamedTuple):
    """A global that is no function, class or module. `live` is ABSENT where it is not loaded."""

    module: Module
    name: str
    live: Any


class ObjectTarget(NamedTuple):
    """An object that no global names, met inside another."""

    live: Any


class MissingTarget(NamedTuple):
    """A name that leads nowhere."""

    name: str


Target = (
    FunctionTarget
    | CodeTarget
    | ClassTarget
    | ModuleTarget
    | ExternalTarget
    | ValueTarget
    | ObjectTarget
    | MissingTarget
)


class Resolver:
    """Resolves within one project, seeing the modules in `hidden` as not loaded."""

    def __init__(self, project: Project, hidden: frozenset[str] = frozenset()) -> None:
        self._project = project
        self._hidden = hidden
        self._modules: dict[str, Module | None] = {}
        self._located: dict[str, bool] = {}
        self._names: dict[tuple[str, str], Target] = {}
        self._asking: set[tuple[str, str]] = set()

    # -- modules --------------------------------------------------------------------------------

    def module(self, name: str) -> Target | None:
        """Return what importing `name` gives; None where nothing is found."""
        found = self.project_module(name)
        if found is not None:
            return ModuleTarget(found)
        live = sys.modules.get(name)
        if live is not None and is_made_module(live):
            return ObjectTarget(live)
        if name in sys.modules or name.partition(".")[0] in sys.stdlib_module_names:
            return ExternalTarget(name, "")
        # Outside the project, and not loaded yet.
        if name not in self._located:
            self._located[name] = locate(name) is not None
        return ExternalTarget(name, "") if self._located[name] else None

    def project_module(self, name: str) -> Module | None:
        """Return the project module `name`, hidden where it has to be."""
        # Looked for once: what is on disk or loaded is taken as it is when first asked.
        if name not in self._modules:
            found = self._project.module(name)
            self._modules[name] = self.view(found) if found is not None else None
        return self._modules[name]

    def named(self, name: str) -> Module | None:
        """Return the project module that symbols name so: the main program by its file's name."""
        main = self.project_module("__main__")
        return main if main is not None and main.name == name else self.project_module(name)

    def view(self, module: Module) -> Module:
        """The module as this resolver sees it."""
        if module.namespace is not None and module.source.module in self._hidden:
            return module.hidden()
        return module

    def imported(self, importer: Module, level: int, name: str) -> str:
        """Return the absolute name of a module imported in `importer`."""
        if not level:
            return name
        package = importer.package.split(".")
        base = ".".join(package[: len(package) - (level - 1)])
        return f"{base}.{name}".strip(".") if name else base

    # -- names ----------------------------------------------------------------------------------

    def name(self, module: Module, name: str) -> Target:
        """Return what the global `name` of `module` is."""
        if module.namespace is None:
            return self._static(module, name)
        value = module.unmade(name, module.namespace.get(name, ABSENT), ABSENT)
        if value is not ABSENT:
            return self.of_global(module, name, value)
        if module.record is not None and name in module.record.bindings:
            # Not bound yet, or no longer; the statements that bind it are known. A builtin of that
            # name may show until then, which says nothing else.
            return ValueTarget(module, name, ABSENT)
        if hasattr(builtins, name):
            return ExternalTarget("builtins", name)
        return MissingTarget(name)

    def chain(self, module: Module, names: Names) -> tuple[Target, Names]:
        """Return what a chain leads to through modules, and the names asked of that."""
        return self.along(self.name(module, names[0]), names[1:])

    def along(self, target: Target, names: Names) -> tuple[Target, Names]:
        """As `chain`, for names asked of a target."""
        for position, name in enumerate(names):
            if not isinstance(target, ModuleTarget) or name == "__dict__":
                return target, names[position:]
            target = self.name(target.module, name)
        return target, ()

    def of_global(self, module: Module, name: str, value: Any) -> Target:
        """Return what a live global is: itself a definition, or a value."""
        target = self.of_object(value)
        if isinstance(target, ObjectTarget) or is_external_wrapper(target, value):
            imported = self.imported_outside(module, name, value)
            if imported is not None and is_a(value, _NATIVE):
                # A method of a library's hidden instance, as `random.random` is.
                return ExternalTarget(*imported)
            return ValueTarget(module, name, value)
        return target

    def imported_outside(self, module: Module, name: str, value: Any) -> tuple[str, str] | None:
        """Where a global is imported from outside the project, by way of project modules or not."""
        passed = set()
        while (module.name, name) not in passed:
            passed.add((module.name, name))
            imported = self._imported_as(module, name, value)
            inside = None if imported is None else self.project_module(imported[0])
            if imported is None or inside is None:
                return imported
            module, name = inside, imported[1]
        return None

    def _static(self, module: Module, name: str) -> Target:
        key = (module.source.module, name)
        if key in self._names:
            return self._names[key]
        if key in self._asking:
            # Modules may import names from each other in a circle, which reading cannot settle.
            return MissingTarget(name)
        self._asking.add(key)
        try:
            found = self._from_source(module, name)
        finally:
            self._asking.discard(key)
        if not self._asking:
            # What is found on the way round a circle may lack what is asked for further out.
            self._names[key] = found
        return found

    def _from_source(self, module: Module, name: str) -> Target:
        bindings = module.bindings_of(name)
        kinds = {binding.kind for binding in bindings}
        if len(kinds) > 1 or (len(bindings) > 1 and not kinds <= {"function", "class"}):
            # Bound in more than one way: it counts by all of them.
            return ValueTarget(module, name, ABSENT)
        for binding in bindings:
            if binding.kind == "function":
                return self.static_function(module, name)
            if binding.kind == "class":
                return self.static_class(module, name)
            if binding.kind == "import":
                return self._static_import(module, binding)
            return ValueTarget(module, name, ABSENT)
        submodule = self.module(f"{module.source.module}.{name}") if module.package else None
        if isinstance(submodule, ModuleTarget) and module.source.is_package:
            return submodule
        found = self._starred(module, name)
        if found is not None:
            return found
        return ExternalTarget("builtins", name) if hasattr(builtins, name) else MissingTarget(name)

    def static_function(self, module: Module, name: str) -> Target:
        """Return a function by its qualified name, from the source."""
        found = module.record.functions.get(name, ()) if module.record else ()
        return FunctionTarget(module, found, None) if found else MissingTarget(name)

    def static_class(self, module: Module, name: str) -> Target:
        """Return a class by its qualified name, from the source."""
        found = module.record.classes.get(name, ()) if module.record else ()
        return _unloaded_class(module, name, found) if found else MissingTarget(name)

    def _static_import(self, module: Module, binding: Binding) -> Target:
        name = self.imported(module, binding.level, binding.module)
        if not binding.attribute:
            return self.module(name) or MissingTarget(name)
        return self.attribute_of(name, binding.attribute)

    def attribute_of(self, module: str, name: str) -> Target:
        """Return what `from module import name` binds."""
        source = self.module(module)
        if isinstance(source, ModuleTarget):
            found = self.name(source.module, name)
            if isinstance(found, (MissingTarget, ExternalTarget)) and source.module.package:
                return self.module(f"{module}.{name}") or found
            return found
        if source is None:
            return MissingTarget(f"{module}.{name}")
        return ExternalTarget(module, name)

    def _starred(self, module: Module, name: str) -> Target | None:
        # The last one wins, if it is executed at all.
        for star in reversed(module.record.stars if module.record else ()):
            found = self.through_star(module, star, name)
            if found is not None:
                return found
        return None

    def through_star(self, module: Module, star: StarImport, name: str) -> Target | None:
        """Return what `from module import *` gives for a name; None where it gives nothing."""
        source = self.project_module(self.imported(module, star.level, star.module))
        if source is None or source.name == module.name:
            return None
        found = self.name(source, name)
        return None if isinstance(found, (MissingTarget, ExternalTarget)) else found

    def external_name(self, module: Module, name: str, target: ExternalTarget, value: Any) -> str:
        """Return what tells the external thing that `module` calls `name` from every other."""
        imported = self._imported_as(module, name, value)
        if imported is not None:
            return ":".join(imported)
        return f"{target.module}:{target.name}" if value is ABSENT else name_of_external(value)

    def _imported_as(self, module: Module, name: str, value: Any) -> tuple[str, str] | None:
        """The module and the name that `module` imports a global from, where that is what it is.

        None where something else binds it as well. The same whether it is loaded or not.
        """
        bindings = module.bindings_of(name)
        if len(bindings) != 1 or bindings[0].kind != "import":
            return None
        source = self.imported(module, bindings[0].level, bindings[0].module)
        attribute = bindings[0].attribute
        is_same = value is ABSENT or _imported_now(source, attribute) is value
        return (source, attribute) if is_same else None

    # -- objects --------------------------------------------------------------------------------

    def of_object(self, value: Any) -> Target:
        """Return what a live object is."""
        # `type()` and not `isinstance`: a proxy may lie about its class, or run code.
        kind = type(value)
        if kind is FunctionType:
            return self.of_function(value)
        if issubclass(kind, type):
            return self.of_class(value)
        if issubclass(kind, ModuleType):
            return self._of_module(value)
        kept = kept_by_library(value)
        if kept is not None and self.is_external(kept[0]):
            return ExternalTarget(*kept)
        if issubclass(kind, _NATIVE):
            return _native(value)
        return ObjectTarget(value)

    def _of_module(self, value: ModuleType) -> Target:
        name = str((namespace_of(value) or {}).get("__name__", ""))
        if is_made_module(value):
            return ObjectTarget(value)
        if sys.modules.get(name) is value:
            return self.module(name) or ExternalTarget(name, "")
        if self._project.boundary.is_project(file_of(value)):
            return ObjectTarget(value)  # loaded past `sys.modules`, or no longer there
        return ExternalTarget(name, "")

    def of_function(self, function: FunctionType) -> Target:
        """Return the definition a live function comes from."""
        module = self._project.module_of(function.__globals__)
        if module is None:
            return self._outside(function)
        module = self.view(module)
        definitions = module.functions_of(self._project.wrappers.code_of(function))
        if definitions:
            live = function if module.namespace is not None else None
            return FunctionTarget(module, definitions, live)
        return CodeTarget(function)

    def _outside(self, function: FunctionType) -> Target:
        name = str(function.__globals__.get("__name__", ""))
        code: CodeType = function.__code__
        if code.co_filename.startswith("<") and not code.co_filename.startswith("<frozen"):
            return CodeTarget(function)
        if self.is_external(name) or not self._project.boundary.is_project(code.co_filename):
            return ExternalTarget(name, function.__qualname__)
        return CodeTarget(function)

    def is_external(self, name: str) -> bool:
        """Whether `name` is a module that is loaded and not the project's."""
        return name in sys.modules and self._project.module(name) is None and name != "__main__"

    def of_class(self, cls: type) -> Target:
        """Return the definition a live class comes from."""
        name, qualified = class_name(cls)
        module = self.project_module(name)
        if module is None:
            if name in sys.modules and name != "__main__":
                return ExternalTarget(name, qualified)
            # Made in a shell, or in a namespace that is no module's.
            return ClassTarget(Module.unnamed({"__name__": name}), qualified, None, cls)
        found = module.record.classes.get(qualified, ()) if module.record else ()
        if module.namespace is None and found:
            return _unloaded_class(module, qualified, found)
        live = cls if module.namespace is not None else None
        return ClassTarget(module, qualified, same_class(found, cls), live)


def _imported_now(module: str, attribute: str) -> Any:
    live = sys.modules.get(module)
    names = namespace_of(live)
    return live if not attribute or names is None else names.get(attribute)


def _native(value: Any) -> Target:
    """What a function written in C is: a method bound to an object says no more than that."""
    bound = getattr(value, "__self__", None)
    if bound is not None and not is_a(bound, (ModuleType, type)):
        return ObjectTarget(value)
    return ExternalTarget(str(getattr(value, "__module__", None) or "builtins"), "")


def kept_by_library(value: Any) -> tuple[str, str] | None:
    """Return where a module binds a method of an instance of its own, as `random.random` is.

    What the instance holds, a seed that differs in every process, is the library's affair.
    """
    if type(value) not in _METHODS:
        return None
    owner, function = value.__self__, getattr(value, "__func__", value)
    name = function.__name__ if is_a(function, _NAMED) or is_compiled(function) else ""
    module = class_name(type(owner))[0]
    bound = namespace_of(sys.modules.get(module)) or {}
    return (module, name) if bound.get(name, ABSENT) is value else None


def is_compiled(function: Any) -> bool:
    """Whether a function was compiled from Python by Cython."""
    return class_name(type(function))[1] == "cython_function_or_method"


def name_of_external(value: Any) -> str:
    """Return the name that an external function, class or module gives itself."""
    names = namespace_of(value)
    if names is not None:
        return f"{names.get('__name__', '')}:"
    name = getattr(value, "__qualname__", None) or type(value).__qualname__
    return f"{getattr(value, '__module__', None) or 'builtins'}:{name}"


def is_external_wrapper(target: Target, value: Any) -> bool:
    """Whether a function is external code closed over something, as decorators return."""
    if not isinstance(target, ExternalTarget) or type(value) is not FunctionType:
        return False
    return value.__closure__ is not None


def symbol_of(target: Target) -> Symbol | None:
    """Return the symbol that a target goes by; None for values and what is not found."""
    if isinstance(target, FunctionTarget):
        name = target.definitions[0].label
        if len(target.definitions) > 1 and target.live is not None:
            # Lambdas on one line, without positions: what they do tells them apart.
            name = f"{name}@{short(code_digest(target.live.__code__))}"
        return target.module.symbol(name)
    if isinstance(target, ClassTarget):
        return target.module.symbol(target.name)
    if isinstance(target, ModuleTarget):
        return target.module.symbol("")
    if isinstance(target, ExternalTarget):
        return Symbol(target.module, target.name) if target.module != "builtins" else None
    if isinstance(target, CodeTarget):
        return Symbol(str(target.live.__module__), target.live.__qualname__)
    return None


def _unloaded_class(module: Module, name: str, found: tuple[ClassDefinition, ...]) -> ClassTarget:
    return ClassTarget(module, name, found[-1], None, found[:-1])


def definition_name(_module: Module, definition: FunctionDefinition) -> str:
    """Return what a function of a module goes by in its symbols."""
    return definition.label
