"""Schedules: the factor of each step."""
import torch
from torch import nn

from golden import array, case

S = torch.optim.lr_scheduler


def schedule(spec, steps, steps_per_epoch, make, losses=None, behind=0):
    """make: the scheduler of a torch optimizer at rate 1, and whether it steps once an epoch; losses: at the epochs' ends.
    Warm-up by hand, as model.md has it: linear from 0, step s of w at s / w, times the schedule's own factor;
    behind: the steps of warm-up after which alone PyTorch's scheduler begins."""
    case("schedule", {"schedule": spec, "steps": steps, "steps_per_epoch": steps_per_epoch})
    chosen = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0, momentum=0.9)
    scheduler, by_epoch = make(chosen)
    factors = []
    for step in range(1, steps + 1):
        factors.append(chosen.param_groups[0]["lr"] * min(step / max(spec.get("warmup_steps", 0), 1), 1))
        chosen.step()
        if scheduler is None or step <= behind or by_epoch and step % steps_per_epoch != 0:
            continue
        scheduler.step(*([] if losses is None else [losses[step // steps_per_epoch - 1]]))
    if losses is not None:
        array("losses", losses)
    array("factors", factors)


def make():
    schedule({"type": "constant"}, 8, 2, lambda o: (None, False))
    schedule({"type": "step", "every": 2, "factor": 0.5}, 30, 3, lambda o: (S.StepLR(o, 2, 0.5), True))
    schedule({"type": "exponential", "factor": 0.8}, 20, 3, lambda o: (S.ExponentialLR(o, 0.8), True))
    schedule({"type": "cosine"}, 20, 4, lambda o: (S.CosineAnnealingLR(o, 20), False))
    schedule({"type": "cosine", "final_factor": 0.1}, 20, 4,
             lambda o: (S.CosineAnnealingLR(o, 20, eta_min=0.1), False))
    for peak, fraction, steps in ((10, 0.3, 40), (4, 0.25, 33), (25, 0.9, 20), (3, 0.01, 20)):
        schedule({"type": "one_cycle", "peak_factor": peak, "warmup_fraction": fraction}, steps, 4,
                 lambda o: (S.OneCycleLR(o, max_lr=float(peak), total_steps=steps, pct_start=fraction,
                                         div_factor=peak, cycle_momentum=False), False))
    for period, low, per_epoch in ((2, 0.1, 4), (5, 0.25, 2), (0.5, 0, 8)):
        schedule({"type": "cyclic", "period": period, "low_factor": low}, 30, per_epoch,
                 lambda o: (S.CyclicLR(o, base_lr=low, max_lr=1.0, step_size_up=period * per_epoch / 2,
                                       cycle_momentum=False), False))
    losses = [3, 2, 2, 1.9999, 2.5, 1.9, 1.9, 1.9, 1.9, 1.9, 1.89999, 1.2, 1.3, 1.4, 1.5, 1.6]
    for patience, factor in ((0, 0.5), (1, 0.1), (2, 0.7), (3, 0.1)):
        schedule({"type": "plateau", "patience": patience, "factor": factor}, 32, 2,
                 lambda o: (S.ReduceLROnPlateau(o, factor=factor, patience=patience, eps=0), True), losses)
    schedule({"type": "constant", "warmup_steps": 5}, 10, 2, lambda o: (None, False))
    schedule({"type": "step", "every": 2, "factor": 0.5, "warmup_steps": 10}, 30, 3, lambda o: (S.StepLR(o, 2, 0.5), True))
    schedule({"type": "exponential", "factor": 0.8, "warmup_steps": 4}, 20, 3, lambda o: (S.ExponentialLR(o, 0.8), True))
    # These begin behind it (docs/decisions/0008-what-schedules-leave-open.md).
    schedule({"type": "cosine", "warmup_steps": 6}, 20, 4, lambda o: (S.CosineAnnealingLR(o, 14), False), behind=6)
    schedule({"type": "one_cycle", "peak_factor": 10, "warmup_fraction": 0.3, "warmup_steps": 7}, 40, 4,
             lambda o: (S.OneCycleLR(o, max_lr=10., total_steps=33, pct_start=0.3, div_factor=10, cycle_momentum=False), False),
             behind=7)
    schedule({"type": "cyclic", "period": 2, "low_factor": 0.1, "warmup_steps": 3}, 30, 4,
             lambda o: (S.CyclicLR(o, base_lr=0.1, max_lr=1.0, step_size_up=4, cycle_momentum=False), False), behind=3)
    schedule({"type": "plateau", "patience": 1, "factor": 0.5, "warmup_steps": 20}, 32, 2,
             lambda o: (S.ReduceLROnPlateau(o, factor=0.5, patience=1, eps=0), True), losses)
