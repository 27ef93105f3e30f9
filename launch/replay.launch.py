"""Plays a bag into stereo_voxel_node: `ros2 launch voxelguard replay.launch.py bag:=FOLDER`.

The bag's clock drives everything (use_sim_time). Every other argument of stereo.launch.py works here too.
Without ROS: `voxelguard replay BAG`.
"""
from pathlib import Path

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, ExecuteProcess, IncludeLaunchDescription, OpaqueFunction
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration

HERE = Path(__file__).resolve().parent

# name, default, what it does, choices
ARGUMENTS = (
    ('bag', None, 'Folder or file of the bag.', None),
    ('rate', '1.0', 'Speed against the recording.', None),
    ('clock_hz', '100', 'Messages on /clock a second.', None),
    ('loop', 'false', 'Start over at the end.', ('true', 'false')),
    ('start_delay', '3.0', 'Seconds until the bag plays: the node loads its network first.', None),
    ('use_rviz', 'true', 'Start RViz.', ('true', 'false')),
)


def generate_launch_description():
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=text, **({'choices': choices} if choices else {}))
        for name, default, text, choices in ARGUMENTS
    ]
    node = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(HERE / 'stereo.launch.py')),
        launch_arguments={'use_sim_time': 'true', 'use_rviz': LaunchConfiguration('use_rviz')}.items(),
    )
    return LaunchDescription([*declared, node, OpaqueFunction(function=play)])


def play(context):
    given = {name: LaunchConfiguration(name).perform(context) for name, *_ in ARGUMENTS}
    # --clock: without it nodes wait for ever. /tf_static is latched in the recording; where that was lost, this restores it.
    command = ['ros2', 'bag', 'play', given['bag'], '--clock', given['clock_hz'], '--rate', given['rate']]
    command += ['--delay', given['start_delay']]
    command += ['--qos-profile-overrides-path', str(HERE / 'params' / 'bag_qos.yaml')]
    if given['loop'] == 'true':
        command.append('--loop')
    return [ExecuteProcess(cmd=command, output='screen')]
