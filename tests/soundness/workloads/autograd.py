import autograd.numpy as np
from autograd import elementwise_grad, grad, hessian, jacobian
from autograd.misc.flatten import flatten
from autograd.misc.optimizers import adam


def layer(weights, inputs):
    return np.tanh(np.dot(inputs, weights["w"]) + weights["b"])


def loss(weights, _=0):
    inputs = np.linspace(-1, 1, 6).reshape(3, 2)
    out = layer(weights, inputs)
    return np.mean((out - np.array([[0.5], [0.0], [-0.5]])) ** 2) + np.sum(weights["w"] ** 2)


def run(case):
    weights = {"w": np.ones((2, 1)) * 0.3, "b": np.zeros(1) + case}
    if case:
        weights = adam(grad(loss), weights, num_iters=4, step_size=0.1)
    flat, _ = flatten(grad(loss)(weights))
    curve = hessian(lambda x: np.sum(np.exp(x) * x[::-1]))(np.array([0.1, 0.2]))
    slope = jacobian(lambda x: np.concatenate([x[1:], np.sin(x[:1])]))(np.array([1.0, 2.0]))
    steep = elementwise_grad(lambda x: np.where(x > 0, x**3, -x))(np.array([-1.0, 2.0]))
    return "\n".join(np.array2string(each, precision=6) for each in (flat, curve, slope, steep))
