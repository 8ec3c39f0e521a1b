"""Training: losses, the two stages (E2E, DuPHiL), heads on frozen latents, release; plain, local or on Ray.

`trainers.train.train_and_release` is the function; `trainers.local` and `trainers.job` run it.
"""
