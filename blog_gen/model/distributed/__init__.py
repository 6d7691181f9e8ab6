"""Training on several devices and machines at once, by `tf.distribute`."""
