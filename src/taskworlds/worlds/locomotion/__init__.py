"""The classic meta-RL worlds: a cheetah, an ant and a walker on Gymnasium's MuJoCo environments."""
