"""The names of the official environments' attributes and methods, where Gymnasium's base class does not have them too.

Those of Meta-World's 50 classes and of Gymnasium's MuJoCo environments, `physics` of dm_control's, and `random_init` of
earlier versions of Meta-World. A test looks them up in the classes.
"""

from __future__ import annotations

__all__ = ["OFFICIAL"]

OFFICIAL = frozenset(
    """
    action_rot_scale action_scale active_discrete_goal adjust_initObjPos camera_id camera_name compute_reward
    contact_cost contact_forces control_cost curr_path_length current_seed data dial_push_position
    discrete_goal_space discrete_goals discretize_goal_space do_simulation door_qpos_adr door_qvel_adr dt
    evaluate_state fix_extreme_obj_pos frame_skip fullpath get_body_com get_endeff_pos get_env_state goal
    goal_and_obj_space goal_space HAMMER_HANDLE_LENGTH hammer_init_pos hammerHeight hand_and_obj_space hand_high
    hand_init_pos hand_low healthy_reward height heightTarget init_config init_left_pad init_obj_quat
    init_puck_z init_qpos init_qvel init_right_pad init_tcp is_healthy LEVER_RADIUS liftThresh max_dist
    max_path_length maxDist maxHammerDist maxPlaceDist maxPlacingDist maxPullDist maxPushDist maxReachDist
    mocap_high mocap_low model model_name mujoco_renderer nail_init_pos num_resets obj_height obj_init_angle
    obj_init_pos obj_init_qpos OBJ_RADIUS obj_space objHeight observation_structure PAD_SUCCESS_MARGIN
    peg_head_pos_init pickCompleted placeCompleted prev_obs reachCompleted reset_mocap_welds reset_model
    reward_function_version sawyer_observation_space seed seeded_rand_vec set_env_state set_state set_task
    set_xyz_action state_vector stick_init_pos stickHeight TARGET_RADIUS target_reward target_rewards task_name
    tcp_center touching_main_object touching_object width window_handle_pos_init WRENCH_HANDLE_LENGTH
    physics random_init
    _contact_cost_weight _contact_force_range _ctrl_cost_weight _did_see_sim_exception
    _exclude_current_positions_from_observation _forward_reward_weight _freeze_rand_vec
    _get_curr_obs_combined_no_goal _get_id_main_object _get_obs _get_obs_dict _get_pos_goal _get_pos_objects
    _get_quat_objects _get_reset_info _get_rew _get_site_pos _get_state_rand_vec _gripper_caging_reward
    _HAND_SPACE _handle_init_pos _handle_length _healthy_angle_range _healthy_reward _healthy_z_range
    _include_cfrc_ext_in_observation _initialize_simulation _last_rand_vec _last_stable_obs _lever_pos_init
    _lock_length _main_body _obj_to_target_init _obs_obj_max_len _partially_observable _prev_obs
    _random_reset_space _reset_hand _reset_noise_scale _reward_grab_effort _reward_pos _reward_quat
    _set_action_space _set_hammer_xyz _set_obj_xyz _set_pos_site _set_stick_xyz _set_task_called _set_task_inner
    _step_mujoco_simulation _stick_is_inserted _target_pos _target_radius _TARGET_RADIUS _target_site_config
    _target_to_obj_init _terminate_when_unhealthy
    """.split()  # noqa: SIM905  (a list of literals would be three times as long)
)
