"""Evaluates a launch file without ROS: `evaluate.py FILE ROOT`, a JSON list of argument sets on stdin, JSON on stdout.

The modules of ROS that a launch file imports are replaced by records of what they were called with. For each set:
the declared arguments, and in order every node, process, included file and environment variable.
"""
import functools
import importlib.util
import json
import os
import subprocess
import sys
import types

file, root = sys.argv[1:]


class Record:
    """An action: positional and named values, as given."""

    def __init__(self, *values, **named):
        self.values, self.named = values, named


class LaunchConfiguration(Record):
    def perform(self, context):
        return context[self.values[0]]


class Declared(Record):
    """Takes what launch.actions.DeclareLaunchArgument takes, and no more."""

    def __init__(self, name, *, default_value=None, description=None, choices=None):
        super().__init__(name, default_value=default_value, description=description, choices=choices)


class Include(Record):
    def __init__(self, source, *, launch_arguments=()):
        super().__init__(source, launch_arguments=tuple(launch_arguments))


class Opaque(Record):
    def __init__(self, *, function):
        super().__init__(function)


kinds = {
    kind: type(kind, (Record,), {}) for kind in ('Node', 'ExecuteProcess', 'SetEnvironmentVariable')
}


def module(name, **members):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__dict__.update(members)


@functools.cache
def load_yaml(text):
    script = 'import {parse} from "yaml"; import {readFileSync} from "node:fs";'
    script += 'console.log(JSON.stringify(parse(readFileSync(0, "utf8"))))'
    command = ['node', '--input-type=module', '-e', script]
    return json.loads(subprocess.run(command, input=text, text=True, cwd=root, capture_output=True, check=True).stdout)


class Description(list):
    pass


module('launch', LaunchDescription=Description)
module(
    'launch.actions',
    DeclareLaunchArgument=Declared,
    IncludeLaunchDescription=Include,
    OpaqueFunction=Opaque,
    ExecuteProcess=kinds['ExecuteProcess'],
    SetEnvironmentVariable=kinds['SetEnvironmentVariable'],
)
module('launch.launch_description_sources', PythonLaunchDescriptionSource=lambda path: path)
module('launch.substitutions', LaunchConfiguration=LaunchConfiguration)
module('launch_ros')
module('launch_ros.actions', Node=kinds['Node'])
module('ament_index_python')
module('ament_index_python.packages', get_package_share_directory=lambda name: os.path.join(root, 'test/launch', name))
module('yaml', safe_load=load_yaml, safe_dump=json.dump)

spec = importlib.util.spec_from_file_location('launch_file', file)
launch_file = importlib.util.module_from_spec(spec)
sys.dont_write_bytecode = True
spec.loader.exec_module(launch_file)


def plain(value, context):
    if isinstance(value, LaunchConfiguration):
        return value.perform(context)
    if isinstance(value, (list, tuple)):
        return [plain(item, context) for item in value]
    if isinstance(value, dict):
        return {key: plain(item, context) for key, item in value.items()}
    return value


def evaluate(given):
    description = launch_file.generate_launch_description()
    declared = {a.values[0]: a.named for a in description if isinstance(a, Declared)}
    unknown = set(given) - set(declared)
    assert not unknown, f'not declared: {unknown}'
    context = {name: given.get(name, options['default_value']) for name, options in declared.items()}
    actions = []
    for action in description:
        if isinstance(action, Opaque):
            actions += action.values[0](context)
        elif not isinstance(action, Declared):
            actions.append(action)
    shown = [
        {'kind': type(a).__name__, 'values': plain(a.values, context), **plain(a.named, context)} for a in actions
    ]
    return {'declared': declared, 'actions': shown}


print(json.dumps([evaluate(given) for given in json.load(sys.stdin)]))
