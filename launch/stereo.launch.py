"""Starts stereo_voxel_node and, where asked for, defended_detector_node, RViz and Nav2.

`ros2 launch voxelguard stereo.launch.py --show-args` lists the arguments. Parameters come from, each over the one before:
params/stereo.yaml, the camera's overlay, params_file, the arguments below that are not empty.
"""
import os
from pathlib import Path
import tempfile

from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    IncludeLaunchDescription,
    OpaqueFunction,
    SetEnvironmentVariable,
)
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
import yaml

HERE = Path(__file__).resolve().parent
PARAMS = HERE / 'params'

# Topics as the drivers name them: namespace of each eye and name of its image. Other driver versions: set
# left_namespace, right_namespace and image_topic.
CAMERAS = {
    # zed_wrapper 5.1; before it: /zed/zed_node/left, image_rect_color
    'zed2': ('/zed/zed_node/left/color/rect', '/zed/zed_node/right/color/rect', 'image'),
    # realsense2_camera 4.55; before it: /camera/infra1
    'realsense_d4xx': ('/camera/camera/infra1', '/camera/camera/infra2', 'image_rect_raw'),
    'oak_d': ('/oak/left', '/oak/right', 'image_raw'),
}
NO_CAMERA = ('left', 'right', 'image_rect')

# name, default, what it does, choices
ARGUMENTS = (
    ('namespace', '', 'Namespace of the node and its topics.', None),
    ('use_sim_time', 'false', 'Take time from /clock (bags, simulators).', ('true', 'false')),
    ('params_file', '', 'Parameter file laid over the defaults and the overlay of the camera.', None),
    ('log_level', 'info', 'Level of the log.', ('debug', 'info', 'warn', 'error', 'fatal')),
    ('camera', '', 'Camera whose topics and overlay to take; empty: left and right in the namespace.', ('', *CAMERAS)),
    ('left_namespace', '', 'Namespace of the left camera; empty: as the camera has it.', None),
    ('right_namespace', '', 'Namespace of the right camera; empty: as the camera has it.', None),
    ('image_topic', '', 'Name of the images in these namespaces; empty: as the camera has it.', None),
    ('image_transport', 'raw', 'How the images come.', ('raw', 'compressed')),
    ('approximate_sync', '', 'Pair images whose stamps differ; empty: as the parameter files say.', ('', 'true', 'false')),
    ('model_path', '', 'Folder of the network; empty: as the parameter files say.', None),
    ('autostart', 'true', 'Configure and activate the node at once.', ('true', 'false')),
    ('respawn', 'false', 'Start the node again when it ends.', ('true', 'false')),
    ('detector', 'false', 'Start defended_detector_node on the left image, with the voxels as evidence.', ('true', 'false')),
    ('detector_params_file', '', 'Parameter file laid over the defaults of the detector.', None),
    ('dds_profile', 'true', 'Fast DDS: shared memory for large messages, unless a profile is set already.', ('true', 'false')),
    ('use_rviz', 'false', 'Start RViz.', ('true', 'false')),
    ('rviz_config', str(HERE.parent / 'rviz' / 'voxelguard.rviz'), 'Displays of RViz.', None),
    ('nav2', 'false', 'Include navigation_launch.py of nav2_bringup with nav2_overlays laid over nav2_params.', ('true', 'false')),
    ('nav2_params', '', 'Parameters of Nav2; empty: those of nav2_bringup.', None),
    ('nav2_overlays', 'voxel_layer.yaml collision_monitor.yaml', 'Files of params/nav2, or paths, laid over them.', None),
)


def generate_launch_description():
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=text, **({'choices': choices} if choices else {}))
        for name, default, text, choices in ARGUMENTS
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=start)])


def start(context):
    """Actions for the arguments' values."""
    given = {name: LaunchConfiguration(name).perform(context) for name, *_ in ARGUMENTS}
    sim_time = {'use_sim_time': given['use_sim_time'] == 'true'}
    actions = dds_profile() if given['dds_profile'] == 'true' else []
    stereo = [*parameter_files(given), {**parameters(given), **sim_time}]
    actions.append(own_node('stereo_voxel_node', given, stereo, remappings(given)))
    if given['detector'] == 'true':
        actions.append(detector(given, sim_time))
    if given['use_rviz'] == 'true':
        actions.append(
            Node(
                package='rviz2',
                executable='rviz2',
                name='rviz2',
                namespace=given['namespace'],
                arguments=['-d', given['rviz_config']],
                parameters=[sim_time],
                remappings=displayed(given),
            )
        )
    if given['nav2'] == 'true':
        bringup = Path(get_package_share_directory('nav2_bringup'))
        actions.append(
            IncludeLaunchDescription(
                PythonLaunchDescriptionSource(str(bringup / 'launch' / 'navigation_launch.py')),
                launch_arguments={
                    'params_file': nav2_parameters(given, bringup),
                    'use_sim_time': given['use_sim_time'],
                    'autostart': given['autostart'],
                }.items(),
            )
        )
    return actions


def own_node(name, given, parameters, remaps):
    """One of this package's nodes, under the name of its program."""
    return Node(
        package='voxelguard',
        executable=name,
        name=name,
        namespace=given['namespace'],
        output='screen',
        respawn=given['respawn'] == 'true',
        respawn_delay=2.0,
        parameters=parameters,
        remappings=remaps,
        arguments=['--ros-args', '--log-level', given['log_level']],
    )


def detector(given, sim_time):
    """The detector sees the left image as the stereo node does, and takes its voxels."""
    own, suffix = own_image(given), '/compressed' if given['image_transport'] == 'compressed' else ''
    left, _, image = camera(given)
    own_parameters = {
        'autostart': given['autostart'] == 'true',
        'image_topic': own,
        'image_transport': given['image_transport'],
    }
    files = [PARAMS / 'detector.yaml', *([given['detector_params_file']] if given['detector_params_file'] else [])]
    remaps = [
        (f'{own}{suffix}', f'{left}/{image}{suffix}'),
        ('camera_info', f'{left}/camera_info'),
        ('points', 'stereo_voxel_node/points'),
    ]
    return own_node('defended_detector_node', given, [*map(str, files), {**own_parameters, **sim_time}], remaps)


def dds_profile():
    """Fast DDS 2 and 3 read different variables; what the user has set stays."""
    names = ('FASTDDS_DEFAULT_PROFILES_FILE', 'FASTRTPS_DEFAULT_PROFILES_FILE')
    if any(os.environ.get(name) for name in names):
        return []
    return [SetEnvironmentVariable(name, str(HERE / 'dds' / 'fastdds-shm.xml')) for name in names]


def parameter_files(given):
    files = [PARAMS / 'stereo.yaml']
    if given['camera']:
        files.append(PARAMS / f'{given["camera"]}.yaml')
    if given['params_file']:
        files.append(Path(given['params_file']))
    return [str(path) for path in files]


def parameters(given):
    """Parameters that are arguments too, where the argument says something."""
    out = {
        'autostart': given['autostart'] == 'true',
        'image_topic': own_image(given),
        'image_transport': given['image_transport'],
    }
    if given['approximate_sync']:
        out['approximate_sync'] = given['approximate_sync'] == 'true'
    if given['model_path']:
        out['model_path'] = given['model_path']
    return out


def camera(given):
    left, right, image = CAMERAS.get(given['camera'], NO_CAMERA)
    return given['left_namespace'] or left, given['right_namespace'] or right, given['image_topic'] or image


def own_image(given):
    """The node's own name of the images: it says whether they are rectified already."""
    return 'image_raw' if camera(given)[2] == 'image_raw' else 'image_rect'


def remappings(given):
    """The node's own names -> the camera's: four topics, each on its own."""
    left, right, image = camera(given)
    own = own_image(given)
    suffix = '/compressed' if given['image_transport'] == 'compressed' else ''
    return [
        (f'left/{own}{suffix}', f'{left}/{image}{suffix}'),
        (f'right/{own}{suffix}', f'{right}/{image}{suffix}'),
        ('left/camera_info', f'{left}/camera_info'),
        ('right/camera_info', f'{right}/camera_info'),
    ]


def displayed(given):
    """The displays of voxelguard.rviz name /left/image_rect and /stereo_voxel_node/...; where these topics are now."""
    left, right, image = camera(given)
    out = [('/left/image_rect', f'{left}/{image}'), ('/right/image_rect', f'{right}/{image}')]
    if given['namespace']:
        maps = ('points', 'points_clearing', 'occupancy_grid', 'octomap_binary', 'octomap_full', 'voxel_markers')
        names = (*maps, 'depth', 'disparity')
        node = f'/{given["namespace"].strip("/")}/stereo_voxel_node'
        out += [(f'/stereo_voxel_node/{name}', f'{node}/{name}') for name in names]
    return out


def nav2_parameters(given, bringup):
    """Path of one file: Nav2's own parameters with ours over them; plugin names stay those of the distribution."""
    base = Path(given['nav2_params'] or bringup / 'params' / 'nav2_params.yaml')
    merged = yaml.safe_load(base.read_text())
    space = given['namespace'].strip('/')
    node = f'/{space}/stereo_voxel_node/' if space else '/stereo_voxel_node/'
    for name in given['nav2_overlays'].split():
        text = (PARAMS / 'nav2' / name).read_text()
        merged = laid_over(merged, yaml.safe_load(text.replace('/stereo_voxel_node/', node)))
    file = tempfile.NamedTemporaryFile('w', prefix='voxelguard_nav2_', suffix='.yaml', delete=False)
    with file:
        yaml.safe_dump(merged, file)
    return file.name


def laid_over(base, over):
    """Mappings are merged, everything else is replaced."""
    if not (isinstance(base, dict) and isinstance(over, dict)):
        return over
    return {**base, **{key: laid_over(base[key], value) if key in base else value for key, value in over.items()}}
