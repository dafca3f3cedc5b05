"""Chapter 11: old layers are loaded, the head is new and zero, frozen means frozen."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
import torch
from measure import array

PAGE = "book/11-transfer.ipynb"


def test_pytorch(snippet):
    names = snippet(PAGE, "PyTorch")
    source, model = names["source"], names["model"]
    np.testing.assert_array_equal(array(model[0].weight), array(source[0].weight))
    assert names["report"].missing_keys == ["2.weight", "2.bias"]
    assert not array(model[-1].weight).any()
    assert [group["lr"] for group in names["optimizer"].param_groups] == [0.01]


def test_pytorch_strict_false_does_not_forgive_a_shape(snippet):
    names = snippet(PAGE, "PyTorch")
    with pytest.raises(RuntimeError, match="size mismatch"):
        names["model"].load_state_dict(names["source"].state_dict(), strict=False)


def test_pytorch_batch_norm_moves_although_frozen():
    norm = torch.nn.BatchNorm1d(2).requires_grad_(False)
    norm(torch.tensor([[1.0, 2.0], [3.0, 5.0]]))
    assert array(norm.running_mean).any()


def test_jax(snippet):
    names = snippet(PAGE, "JAX")
    np.testing.assert_array_equal(names["params"]["body"], names["source"]["body"])
    assert not array(names["params"]["head"]).any()
    params = {**names["params"], "head": jnp.ones((64, 5))}
    x = jnp.ones((3, 64))

    def loss(p, treat):
        p = treat(p)
        return jnp.sum((jax.nn.relu(x @ p["body"]) @ p["head"]) ** 2)

    free, frozen = (jax.grad(loss)(params, treat) for treat in (lambda p: p, names["frozen"]))
    assert array(free["body"]).any()
    assert not array(frozen["body"]).any()
    assert array(frozen["head"]).any()


def test_keras(snippet):
    names = snippet(PAGE, "Keras")
    source, model = names["source"], names["model"]
    np.testing.assert_array_equal(array(model.layers[0].kernel), array(source.layers[0].kernel))
    assert not array(model.layers[-1].kernel).any()
    assert [w.path for w in model.trainable_weights] == [w.path for w in model.layers[-1].weights]


def test_keras_batch_norm_stays_when_frozen():
    norm = keras.layers.BatchNormalization()
    norm.trainable = False
    norm(np.array([[1.0], [3.0]], np.float32), training=True)
    assert not array(norm.moving_mean).any()
