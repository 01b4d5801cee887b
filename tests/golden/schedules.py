"""Schedules: the factor of each step."""
import torch
from torch import nn

from golden import array, case


def schedule(spec, steps, steps_per_epoch, make):
    case("schedule", {"schedule": spec, "steps": steps, "steps_per_epoch": steps_per_epoch})
    chosen = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = make(chosen)
    factors = []
    for step in range(1, steps + 1):
        factors.append(chosen.param_groups[0]["lr"])
        chosen.step()
        if scheduler is not None and (not isinstance(scheduler, S.StepLR) or step % steps_per_epoch == 0):
            scheduler.step()
    array("factors", factors)


S = torch.optim.lr_scheduler


def make():
    schedule({"type": "constant"}, 8, 2, lambda o: None)
    schedule({"type": "step", "every": 2, "factor": 0.5}, 30, 3, lambda o: S.StepLR(o, 2, 0.5))
    schedule({"type": "cosine"}, 20, 4, lambda o: S.CosineAnnealingLR(o, 20))
    schedule({"type": "cosine", "final_factor": 0.1}, 20, 4, lambda o: S.CosineAnnealingLR(o, 20, eta_min=0.1))
    # Warm-up by hand, as model.md has it: linear from 0, step s of w at s / w.
    schedule({"type": "constant", "warmup_steps": 5}, 10, 2,
             lambda o: S.LambdaLR(o, lambda done: min((done + 1) / 5, 1)))
