import pytest
import torch

from pipelines.build import palette_for
from vid2vid.checkpoint import MODEL_FILE, STATE_FILE, load_checkpoint, save_checkpoint
from vid2vid.errors import CheckpointError
from vid2vid.training.loop import take_steps
from vid2vid.training.schedule import ScheduleConfig
from vid2vid.training.state import load_state, save_state

SCHEDULE = ScheduleConfig(steps=4, clip_length=4, clip_length_max=4, backprop_frames=2)
CALIBRATED = (
    "generator={kind: crn, height: 8, width: 4, outputs: 2}",
    "losses.perceptual=1",
    "losses.perceptual_network=segmenter",
    "losses.perceptual_balance=calibrated",
)


def advance(run, state, *, end):
    for _ in take_steps(run, state, SCHEDULE, end=end):
        pass


def everything(state):
    """List every tensor that a step reads or writes."""
    named = {f"average.{k}": v for k, v in state.average.state_dict().items()}
    for name, network in state.players.trained():
        named |= {f"{name}.{k}": v for k, v in network.state_dict().items()}
        for index, moments in state.optimizers[name].state_dict()["state"].items():
            named |= {f"{name}.{index}.{key}": value for key, value in moments.items()}
    return named


def assert_equal_bits(first, second):
    ours, theirs = everything(first), everything(second)
    assert ours.keys() == theirs.keys()
    assert [key for key in ours if not torch.equal(ours[key], theirs[key])] == []
    assert first.step == second.step
    assert first.calibration == second.calibration


@pytest.fixture
def save(tmp_path, tiny_config):
    def write(state):
        save_state(tmp_path, state, config={"any": 1}, palette=palette_for(tiny_config()))
        return load_checkpoint(tmp_path, kind="training")

    return write


@pytest.mark.parametrize(
    "changes",
    [
        (),
        ("generator.spectral=true", "image_discriminator.spectral=true"),
        ("generator.refiners=1", "training.batch_size=2", "training.accumulation=2"),
        ("training.precision=bfloat16", "optimizer.clip_norm=1.0"),
        ("data.flip=true", "data.scale=[1.0, 1.5]", "training.first_frames=zeros"),
        (*CALIBRATED, "losses.calibrate_at=0.25"),
        (*CALIBRATED, "losses.calibrate_at=0.75"),
    ],
    ids=str,
)
def test_four_steps_are_two_saved_loaded_and_two(tiny_state, save, changes):
    run, whole = tiny_state(*changes)
    advance(run, whole, end=4)
    run, first = tiny_state(*changes)
    advance(run, first, end=2)
    run, second = tiny_state(*changes)
    load_state(save(first), second)
    assert_equal_bits(second, first)
    torch.manual_seed(99)  # the global state must not matter
    advance(run, second, end=4)
    assert_equal_bits(second, whole)


def test_moments_come_back_in_the_layout_of_their_weights(tiny_state, save):
    run, first = tiny_state()
    advance(run, first, end=1)
    _, second = tiny_state()
    load_state(save(first), second)
    strides = []
    for state in (first, second):
        adam = state.optimizers["generator"]
        moments = [adam.state[p] for p in adam.param_groups[0]["params"]]
        strides.append([each["exp_avg"].stride() for each in moments])
    assert strides[0] == strides[1]
    assert any(stride[-1] != 1 for stride in strides[0] if len(stride) == 4)


def test_players_that_were_never_updated_come_back_too(tiny_state, save):
    _, first = tiny_state()
    _, second = tiny_state("training.seed=1")
    load_state(save(first), second)
    assert_equal_bits(second, first)


def test_steps_and_the_length_of_the_run_are_kept(tiny_state, save):
    _, first = tiny_state()
    first.step, first.total_steps = 3, 17
    _, second = tiny_state()
    load_state(save(first), second)
    assert (second.step, second.total_steps) == (3, 17)


def test_the_rendering_checkpoint_holds_the_average(tiny_state, save, tmp_path):
    run, state = tiny_state()
    advance(run, state, end=1)
    save(state)
    model = load_checkpoint(tmp_path, kind="generator")
    average = state.average.state_dict()
    assert model.tensors.keys() == average.keys()
    assert all(torch.equal(model.tensors[key], average[key]) for key in average)
    assert model.metadata["config"] == {"any": 1}
    assert model.metadata["palette"]["name"] == "two"
    assert model.metadata["step"] == 1
    assert sorted(p.name for p in tmp_path.glob("*.safetensors")) == [MODEL_FILE, STATE_FILE]


def test_a_state_of_other_networks_is_refused(tiny_state, save):
    _, first = tiny_state()
    _, second = tiny_state("generator.width=8")
    with pytest.raises(CheckpointError, match=r"state.safetensors: .* must be \(.*\); it is"):
        load_state(save(first), second)


def test_a_state_without_a_player_is_refused(tiny_state, save):
    _, first = tiny_state("image_discriminator=null")
    _, second = tiny_state()
    with pytest.raises(CheckpointError, match=r"state.safetensors must hold 'patches.0"):
        load_state(save(first), second)


@pytest.mark.parametrize("key", ["optimizer:generator.0", "optimizer:generator.999"])
def test_an_optimiser_of_other_weights_is_refused(tiny_state, save, tmp_path, key):
    run, state = tiny_state()
    advance(run, state, end=1)
    saved = save(state)
    moments = {f"{key}.{name}": torch.zeros(2) for name in ("exp_avg", "exp_avg_sq", "step")}
    save_checkpoint(tmp_path / STATE_FILE, saved.tensors | moments, saved.metadata)
    _, second = tiny_state()
    with pytest.raises(CheckpointError, match=r"the optimiser of generator does not fit"):
        load_state(load_checkpoint(tmp_path, kind="training"), second)
