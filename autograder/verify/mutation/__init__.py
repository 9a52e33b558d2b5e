"""Mutation: does a hidden test notice every small change of a reference answer?"""
