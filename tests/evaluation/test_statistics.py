import numpy as np

from taskworlds.evaluation.statistics import iqm, mean, skill_rows


def test_iqm_is_the_mean_of_the_middle_half():
    assert iqm([9.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, -90.0]) == (2 + 3 + 4 + 5) / 4


def test_iqm_leaves_out_a_quarter_rounded_down_at_each_end():
    assert iqm([0.0, 1.0, 2.0, 6.0, 100.0]) == 3.0
    assert iqm([0.0, 1.0, 5.0]) == 2.0


def test_iqm_of_a_nan_is_nan_although_it_would_be_trimmed():
    assert np.isnan(iqm([0.0, 1.0, 2.0, np.nan]))


def test_statistics_work_along_the_last_axis():
    rows = np.array([[0.0, 1.0, 2.0, 9.0], [4.0, 4.0, 6.0, 6.0]])
    assert mean(rows).tolist() == [3.0, 5.0]
    assert iqm(rows).tolist() == [1.5, 5.0]


def test_no_values_have_no_mean():
    assert np.isnan(mean([]))
    assert np.isnan(iqm([]))


def test_skills_stand_in_the_order_in_which_they_come_first():
    assert [rows.tolist() for rows in skill_rows(["b", "a", "b"])] == [[0, 2], [1]]
    assert skill_rows([]) == []
